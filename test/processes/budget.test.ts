// Promise 1 with real processes and real deaths: the provider itself is never paid more than the cap, and when everybody asks for more the
// ledger stops within one call of it. The numbers are small here; `npm run chaos:budget` takes larger ones.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newSchema, postgresUrl } from "../postgres/database.ts";
import { auditBudget } from "./budget-audit.ts";
import { runBudgetTrial } from "./budget-trial.ts";
import type { Place } from "./place.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "airworthy-budget-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const file = (): Promise<Place> => Promise.resolve({ kind: "sqlite", path: join(folder, "runs.db") });
const server = async (): Promise<Place> => ({ kind: "postgres", url: await postgresUrl(), schema: newSchema() });

test.each([
  ["three workers on Postgres, two of them killed", server, 3, 0, 2],
  ["a worker and three deciders on SQLite", file, 1, 3, 0],
] as const)("%s", { timeout: 120_000 }, async (_, where, workers, deciders, kills) => {
  const place = await where();
  const faultShare = kills > 0 ? 0.03 : 0;
  const options = { place, workers, deciders, kills, faultShare, lanes: 8, capUsd: 0.4, seed: 4711, leaseMs: kills > 0 ? 1_000 : 10_000 };
  const { problems, figures } = await auditBudget(options, await runBudgetTrial(options));
  expect(problems, JSON.stringify(figures)).toEqual([]);
  expect(figures).toMatchObject({ overruns: 0 });
  expect(figures["requests charged"]).toBeGreaterThan(10);
});
