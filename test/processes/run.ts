// `npm run chaos`: kills workers until every run has ended, shows how far it has come, and prints what became of the promises.
// `npm run chaos -- --store sqlite --runs 500 --kills 30 --workers 3 --seed 7 --lease 500` says what else than usual: both stores, three
// workers on Postgres, one on SQLite.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startCluster } from "../postgres/cluster.ts";
import { audit } from "./audit.ts";
import type { Place } from "./place.ts";
import { runTrial } from "./trial.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    runs: { type: "string", default: "500" },
    kills: { type: "string", default: "30" },
    workers: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    lease: { type: "string", default: "500" },
  },
});
const numbers = { runs: Number(values.runs), kills: Number(values.kills), seed: Number(values.seed), leaseMs: Number(values.lease) };

function progress() {
  let shown = "";
  return (open: number, kills: number) => {
    const ended = numbers.runs - open;
    const line = `${ended}/${numbers.runs} runs, ${kills}/${numbers.kills} kills`;
    if (line === shown || (!process.stderr.isTTY && ended % 50 !== 0)) return;
    shown = line;
    process.stderr.write(process.stderr.isTTY ? `\r${line}` : `${line}\n`);
  };
}

async function tried(place: Place, workers: number) {
  console.log(`${workers} on ${place.kind}, seed ${numbers.seed}`);
  const trial = await runTrial({ place, workers, ...numbers, tell: progress() });
  const { problems, figures } = await audit(trial, place);
  if (process.stderr.isTTY) process.stderr.write("\n");
  for (const [what, figure] of Object.entries(figures)) console.log(`${what.padEnd(22)} ${String(figure).padStart(8)}`);
  for (const problem of problems) console.error(problem);
  console.log(problems.length === 0 ? "every promise was kept" : `${problems.length} promises were broken`);
  if (problems.length > 0) process.exitCode = 1;
}

if (values.store !== "sqlite") {
  const cluster = await startCluster();
  try {
    await tried({ kind: "postgres", url: cluster.url, schema: "chaos" }, Number(values.workers));
  } finally {
    await cluster.stop();
  }
}
if (values.store !== "postgres") {
  const folder = mkdtempSync(join(tmpdir(), "airworthy-chaos-"));
  try {
    await tried({ kind: "sqlite", path: join(folder, "runs.db") }, 1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
