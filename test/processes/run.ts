// `npm run chaos`: kills workers until every run has ended, shows how far it has come, and prints what became of the promises.
// `npm run chaos -- --store sqlite --runs 500 --kills 30 --workers 1 --seed 7 --lease 500` says what else than usual.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { audit } from "./audit.ts";
import { runTrial } from "./trial.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "500" },
    kills: { type: "string", default: "30" },
    workers: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    lease: { type: "string", default: "500" },
  },
});
const numbers = { runs: Number(values.runs), kills: Number(values.kills), workers: Number(values.workers) };
const seed = Number(values.seed);
const folder = mkdtempSync(join(tmpdir(), "airworthy-chaos-"));
const place = { kind: "sqlite", path: join(folder, "runs.db") } as const;

let shown = "";
const tell = (open: number, kills: number) => {
  const ended = numbers.runs - open;
  const line = `${ended}/${numbers.runs} runs, ${kills}/${numbers.kills} kills`;
  if (line === shown || (!process.stderr.isTTY && ended % 50 !== 0)) return;
  shown = line;
  process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`);
};

console.log(`seed ${seed}`);
try {
  const trial = await runTrial({ place, ...numbers, seed, leaseMs: Number(values.lease), tell });
  const { problems, figures } = await audit(trial, place);
  process.stderr.write("\n");
  for (const [what, figure] of Object.entries(figures)) console.log(`${what.padEnd(22)} ${String(figure).padStart(8)}`);
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? "every promise was kept" : `${problems.length} promises were broken`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
