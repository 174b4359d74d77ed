// `npm run chaos:budget`: lets many processes spend one budget, with and without kills, and prints what came of it as a table.
// `npm run chaos:budget -- --store sqlite --lanes 64 --kills 8 --cap 3 --seed 7 --lease 3000` says what else than usual.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startCluster } from "../postgres/cluster.ts";
import { auditBudget } from "./budget-audit.ts";
import { runBudgetTrial } from "./budget-trial.ts";
import type { Place } from "./place.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    lanes: { type: "string", default: "64" },
    kills: { type: "string", default: "8" },
    cap: { type: "string", default: "3" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    lease: { type: "string", default: "3000" },
  },
});
const [lanes, kills, capUsd, seed, leaseMs] = [values.lanes, values.kills, values.cap, values.seed, values.lease].map(Number);
const numbers = { lanes: lanes ?? 64, capUsd: capUsd ?? 3, seed: seed ?? 1, leaseMs: leaseMs ?? 3_000 };
const folder = mkdtempSync(join(tmpdir(), "airworthy-budget-"));
const rows: Readonly<Record<string, string | number>>[] = [];

/** Where nothing is to get lost, a slow machine must not look like a dead process. */
const patience = (deaths: number) => (deaths > 0 ? {} : { leaseMs: 20_000 });

async function tried(place: Place, workers: number, deciders: number, deaths: number) {
  const options = { place, workers, deciders, ...numbers, kills: deaths, faultShare: deaths > 0 ? 0.03 : 0, ...patience(deaths) };
  const { problems, figures } = await auditBudget(options, await runBudgetTrial(options));
  rows.push(figures);
  for (const problem of problems) console.error(`${place.kind}, ${deaths} kills: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

try {
  if (values.store !== "sqlite") {
    const cluster = await startCluster();
    try {
      for (const deaths of [0, kills ?? 0]) await tried({ kind: "postgres", url: cluster.url, schema: `budget_${deaths}` }, 4, 0, deaths);
    } finally {
      await cluster.stop();
    }
  }
  if (values.store !== "postgres") {
    for (const deaths of [0, kills ?? 0]) await tried({ kind: "sqlite", path: join(folder, `${deaths}.db`) }, 1, 3, deaths);
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`seed ${numbers.seed}`);
for (const name of Object.keys(rows[0] ?? {})) console.log(name.padEnd(20) + rows.map((row) => String(row[name]).padStart(14)).join(""));
console.log(process.exitCode ? "the cap was not kept" : "the cap held, from above and from below");
