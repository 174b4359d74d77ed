// One workload in a process of its own, so that none is measured on what another has left behind: `workload-process.ts <name>`.
import { workloads } from "./workloads.ts";

const [name] = process.argv.slice(2);
const workload = workloads.find((one) => one.name === name);
const figures = await workload?.measure({
  rounds: 15,
  runs: (usual) => usual,
  tell: (done, of) => process.send?.({ done, of }),
});
process.send?.({ figures });
process.disconnect();
