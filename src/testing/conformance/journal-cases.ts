// What a journal has to do: keep lines as they are, in order, for their owner alone. Invariant: only what `load` answers is believed.
import { deepEqual, equal } from "node:assert/strict";
import type { Journal } from "../../core/store.ts";
import { header, refused, type StoreCase, storeCase } from "./store-under-test.ts";

const megabyte = 1_000_000;
const unusual = [
  '{"text":"ü 🚚 \\u0000 \\ud800 \\\\ \' $1 ? :a %s"}',
  '{"lines":"\u2028\u2029\u00a0\ufeff"}',
  '{ "spaces" : 1.0,  "order":{"b":1,"a":2} }',
  `{"large":"${"ä".repeat(megabyte / 2)}"}`,
];

export const journalCases: readonly StoreCase[] = [
  storeCase("a run is made once", async ({ journal }) => {
    equal(await journal.create(header("r"), ["1", "2"]), true);
    equal(await journal.create(header("r", { agent: "b" }), ["3"]), false);
    deepEqual(await journal.load("r"), ["1", "2"]);
  }),
  storeCase("of many that make it at once one does", async ({ journal }) => {
    const made = await Promise.all(Array.from({ length: 8 }, (_, n) => journal.create(header("r"), [`${n}`])));
    equal(made.filter(Boolean).length, 1);
    deepEqual(await journal.load("r"), [`${made.indexOf(true)}`]);
  }),
  storeCase("a run that is not there is undefined, and not added to", async ({ journal }) => {
    equal(await journal.load("r"), undefined);
    equal(await journal.claim("r"), undefined);
    await refused("journal_conflict", () => journal.append("r", { epoch: 1, sequence: 0 }, ["1"], "running"));
    equal(await journal.load("r"), undefined);
  }),
  storeCase("lines are added in order, and loading claims nothing", async ({ journal }) => {
    await journal.create(header("r"), []);
    deepEqual(await journal.load("r"), []);
    await journal.append("r", { epoch: 1, sequence: 0 }, ["1"], "running");
    await journal.append("r", { epoch: 1, sequence: 1 }, ["2", "3"], "running");
    await journal.append("r", { epoch: 1, sequence: 3 }, [], "stopped");
    await journal.append("r", { epoch: 1, sequence: 3 }, ["4"], "ended");
    deepEqual(await journal.load("r"), ["1", "2", "3", "4"]);
  }),
  storeCase("a claim fences every earlier owner off, also where nothing was written since", async ({ journal }) => {
    await journal.create(header("r"), ["1"]);
    deepEqual(await journal.claim("r"), { epoch: 2, lines: ["1"] });
    await refused("journal_conflict", () => journal.append("r", { epoch: 1, sequence: 1 }, ["stale"], "ended"));
    await refused("journal_conflict", () => journal.append("r", { epoch: 3, sequence: 1 }, ["early"], "ended"));
    await journal.append("r", { epoch: 2, sequence: 1 }, ["2"], "running");
    deepEqual(await journal.claim("r"), { epoch: 3, lines: ["1", "2"] });
  }),
  storeCase("of many claimers each has an epoch, and the last one the run", async ({ journal }) => {
    await journal.create(header("r"), ["1"]);
    const claims = await Promise.all(Array.from({ length: 8 }, () => journal.claim("r")));
    const epochs = claims.map((claim) => claim?.epoch ?? 0).toSorted((one, other) => one - other);
    deepEqual(epochs, [2, 3, 4, 5, 6, 7, 8, 9]);
    await refused("journal_conflict", () => journal.append("r", { epoch: 8, sequence: 1 }, ["x"], "running"));
    await journal.append("r", { epoch: 9, sequence: 1 }, ["2"], "running");
    deepEqual(await journal.load("r"), ["1", "2"]);
  }),
  storeCase("a batch at the wrong place leaves nothing of it", async ({ journal }) => {
    await journal.create(header("r"), ["1"]);
    for (const sequence of [0, 2, 5]) {
      await refused("journal_conflict", () => journal.append("r", { epoch: 1, sequence }, ["x", "y"], "ended"));
    }
    deepEqual(await journal.load("r"), ["1"]);
    await journal.append("r", { epoch: 1, sequence: 1 }, ["2"], "running");
  }),
  storeCase("of appends to the same place one is there, whole, and the others are told", async ({ journal }) => {
    await journal.create(header("r"), []);
    const batches = Array.from({ length: 16 }, (_, n) => [`${n}a`, `${n}b`, `${n}c`]);
    const told = await Promise.all(batches.map((lines) => appended(journal, { runId: "r", epoch: 1, sequence: 0 }, lines)));
    equal(told.filter(Boolean).length, 1);
    deepEqual(await journal.load("r"), batches[told.indexOf(true)]);
  }),
  storeCase("lines come back byte for byte, large ones and unusual ones", async ({ journal }) => {
    await journal.create(header("r-ü-🚚-' $1"), unusual);
    await journal.append("r-ü-🚚-' $1", { epoch: 1, sequence: unusual.length }, unusual, "running");
    deepEqual(await journal.load("r-ü-🚚-' $1"), [...unusual, ...unusual]);
  }),
  storeCase("a batch of many lines", async ({ journal }) => {
    const lines = Array.from({ length: 3_000 }, (_, n) => `{"n":${n}}`);
    await journal.create(header("r"), lines);
    await journal.append("r", { epoch: 1, sequence: lines.length }, lines, "running");
    deepEqual(await journal.load("r"), [...lines, ...lines]);
  }),
  storeCase("200 runs at a time do not meet", async ({ journal }) => {
    const ids = Array.from({ length: 200 }, (_, n) => `run-${n}`);
    await Promise.all(ids.map((runId) => oneRun(journal, runId)));
    for (const runId of ids)
      deepEqual(
        await journal.load(runId),
        [0, 1, 2, 3, 4].map((n) => `{"${runId}":${n}}`),
      );
  }),
];

async function oneRun(journal: Journal, runId: string) {
  await journal.create(header(runId), [`{"${runId}":0}`]);
  for (let n = 1; n < 4; n++) await journal.append(runId, { epoch: 1, sequence: n }, [`{"${runId}":${n}}`], "running");
  const claim = await journal.claim(runId);
  await journal.append(runId, { epoch: claim?.epoch ?? 0, sequence: 4 }, [`{"${runId}":4}`], "ended");
}

/** False when it was refused as a conflict. */
async function appended(journal: Journal, at: { runId: string; epoch: number; sequence: number }, lines: readonly string[]) {
  try {
    await journal.append(at.runId, at, lines, "running");
    return true;
  } catch (thrown) {
    await refused("journal_conflict", () => Promise.reject(thrown));
    return false;
  }
}
