// Promise 1 across crashes: wherever a process dies, the counters never say less than the journals, and exactly what they say once the run
// has been gone on with.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Entry, memoryStore, type RunResult, type Store } from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seeded } from "../processes/seeded.ts";
import { type ChargedRun, chargedRuns, user } from "./charged-runs.ts";
import { crashingStore } from "./crashing-store.ts";
import { added, type Charges, chargesOf } from "./journal-charges.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "airworthy-ledger-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const measures = ["usd", "tokens", "calls"] as const;
const keyOf = (measure: string) => `${measure}/user/${user.tenant}/${user.id}/ever/ever`;
const runId = "r";

async function standing({ counters }: Store) {
  const states = await counters!.read(measures.map(keyOf));
  return measures.map((measure, at) => ({ measure, used: states[at]?.used ?? 0, held: states[at]?.held ?? 0 }));
}

async function journalsIn({ journal }: Store): Promise<readonly (readonly Entry[])[]> {
  const runs = (await journal.find?.({ limit: 1_000 })) ?? [];
  const all = await Promise.all(runs.map(async (one) => (await journal.load(one.runId)) ?? []));
  return all.map((lines) => lines.map((line) => JSON.parse(line)));
}

/** What the journals of all runs in the store say. */
const said = async (store: Store): Promise<Charges> => added((await journalsIn(store)).map((entries) => chargesOf(entries)));

const whole = ({ usd, tokens, calls }: Charges) => measures.map((measure) => ({ measure, used: { usd, tokens, calls }[measure], held: 0 }));

/** One process: starts the run or goes on with it, over a store that dies after so many writes. Undefined when it died. */
async function pass(run: ChargedRun, base: Store, raises: number, lives = Number.POSITIVE_INFINITY, tellsLate = false) {
  const { store, crashed, writes } = crashingStore(base, lives, tellsLate);
  const agent = run.agentOn(store, raises);
  const begun = (await base.journal.load(runId)) !== undefined;
  const going: Promise<RunResult<unknown>> = begun ? agent.resume(runId) : agent.run("go", { runId, user });
  const result = await Promise.race([going, crashed.then(() => undefined)]);
  return { result, writes: writes() };
}

/** To its last end, with as many raises as the run needs; `hasStopped`: that often it has stopped before. */
async function finished(run: ChargedRun, base: Store, raised: number) {
  let raises = raised;
  for (;;) {
    const { result } = await pass(run, base, raises);
    if (!result) throw new Error("It died without a reason.");
    if (!result.resumable) return result;
    expect(await standing(base)).toEqual(whole(await said(base)));
    raises += 1;
    if (raises > 5) throw new Error(`The run came to no end: ${result.status}`);
  }
}

interface Death {
  readonly writes: number;
  readonly tellsLate: boolean;
}

async function expectSameAfter(run: ChargedRun, base: Store, deaths: readonly Death[]) {
  for (const { writes, tellsLate } of deaths) await pass(run, base, 0, writes, tellsLate);
  // More than was set aside can only be told once it is known.
  const before = added((await journalsIn(base)).map((entries) => chargesOf(entries, "at most what was set aside")));
  for (const { measure, used, held } of await standing(base)) expect(used + held, measure).toBeGreaterThanOrEqual(before[measure]);
  expect((await finished(run, base, 0)).status).toBe(run.ends.at(-1));
  expect(await standing(base)).toEqual(whole(await said(base)));
  expect(await base.counters!.open("")).toEqual([]);
}

/** After every write, and in memory another death follows at random, of whoever goes on. In a file every third write has to do. */
function deathsOf(writes: number, isQuick: boolean, chance: () => number): readonly (readonly Death[])[] {
  const all = Array.from({ length: writes }, (_, number) => number);
  if (!isQuick) return all.filter((number) => number % 3 === 1).map((number) => [{ writes: number, tellsLate: number % 2 === 0 }]);
  const another = () => ({ writes: 1 + Math.floor(chance() * writes), tellsLate: chance() < 0.5 });
  return all.flatMap((number) => [
    [{ writes: number, tellsLate: false }],
    [{ writes: number, tellsLate: true }],
    [{ writes: number, tellsLate: chance() < 0.5 }, another()],
  ]);
}

const stores: readonly (readonly [string, (name: string) => Store])[] = [
  ["memory", () => memoryStore()],
  ["SQLite", (name) => sqlite(join(folder, `${name}.db`))],
];

describe.each(stores)("%s", (kind, storeOf) => {
  describe.each(chargedRuns)("$name", (run) => {
    test("ends as it should, and the counters say what the journals say", async () => {
      const store = storeOf("whole");
      const ends: string[] = [];
      for (let raises = 0; raises < run.ends.length; raises++) {
        const { result } = await pass(run, store, raises);
        ends.push(result?.status ?? "died");
        expect(await standing(store)).toEqual(whole(await said(store)));
      }
      expect(ends).toEqual(run.ends);
      expect((await said(store)).usd).toBeGreaterThan(0);
      expect(await store.counters!.open("")).toEqual([]);
      await store.close?.();
    });

    test("wherever the process dies", { timeout: 60_000 }, async () => {
      const chance = seeded(4711);
      const { writes } = await pass(run, memoryStore(), 0);
      for (const deaths of deathsOf(writes, kind === "memory", chance)) {
        const told = deaths.map((death) => `${death.writes}${death.tellsLate ? " late" : ""}`).join(" and ");
        const store = storeOf(told);
        try {
          await expectSameAfter(run, store, deaths);
        } catch (thrown) {
          throw new Error(`after ${told} of ${writes} writes: ${String(thrown)}`, { cause: thrown });
        } finally {
          await store.close?.();
        }
      }
    });
  });
});
