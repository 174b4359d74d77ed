// Promises 3, 4 and 7 with real processes and real deaths: whoever is killed, whenever, every run ends as it should and no act is doubled.
// The numbers are small here; `npm run chaos` takes larger ones.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newSchema, postgresUrl } from "../postgres/database.ts";
import { audit } from "./audit.ts";
import type { Place } from "./place.ts";
import { runTrial } from "./trial.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "airworthy-chaos-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const file = (): Promise<Place> => Promise.resolve({ kind: "sqlite", path: join(folder, "runs.db") });
const server = async (): Promise<Place> => ({ kind: "postgres", url: await postgresUrl(), schema: newSchema() });

test.each([
  ["one worker on SQLite", file, 1],
  ["three workers on Postgres", server, 3],
] as const)("%s, killed 6 times over 40 runs", { timeout: 120_000 }, async (_, where, workers) => {
  const place = await where();
  const trial = await runTrial({ place, workers, runs: 40, kills: 6, seed: 4711, leaseMs: 500 });
  const { problems, figures } = await audit(trial, place);
  expect(problems, JSON.stringify(figures)).toEqual([]);
  expect(figures).toMatchObject({ runs: 40, steps: 40 * 9, kills: 6, "mails again": 0 });
  expect(figures["taken over"]).toBeGreaterThan(0);
});
