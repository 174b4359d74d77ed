// Slices: a busy key is asked for in the store once for many holds, and its limit is passed by nobody, whoever dies meanwhile.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counters, memoryStore, type SliceTerms, sliced } from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { type FakeClock, fakeClock } from "airworthy/testing";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";

const leaseMs = 1_000;
const terms: SliceTerms = { amount: 20, forMs: leaseMs };

/** The store's counters, with what is asked of them. */
function watched(counters: Counters) {
  const asked: string[] = [];
  const watching: Counters = {
    ...counters,
    reserve: (id, holds, forMs) => (
      asked.push(`reserve ${holds.map(({ key, amount }) => `${key} ${amount}`).join(", ")}`), counters.reserve(id, holds, forMs)
    ),
    settle: (id, used) => (asked.push(`settle ${JSON.stringify(used)}`), counters.settle(id, used)),
  };
  return { watching, asked };
}

const storeOn = (clock: FakeClock) => memoryStore({ now: () => clock.now() });

let ids = 0;
const newId = () => `slice-${++ids}`;
const shareOf = (key: string) => (key.startsWith("hot") ? terms : undefined);

/** A process with slices: its timers and its calls end when it dies. */
function replica(counters: Counters, clock: FakeClock) {
  let isDead = false;
  const living = <T>(act: () => Promise<T>) => (isDead ? new Promise<T>(() => {}) : act());
  const mortal: Counters = {
    reserve: (...args) => living(() => counters.reserve(...args)),
    settle: (...args) => living(() => counters.settle(...args)),
    read: (keys) => counters.read(keys),
    open: (prefix) => counters.open(prefix),
    forget: (run) => counters.forget(run),
  };
  const after = (ms: number, run: () => void) =>
    clock.after(ms, () => {
      if (!isDead) run();
    });
  return { ...sliced(mortal, { shareOf, newId, clock: { now: () => clock.now(), after } }), die: () => void (isDead = true) };
}

function world() {
  const clock = fakeClock();
  const { counters } = storeOn(clock);
  const { watching, asked } = watched(counters);
  return { clock, counters, asked, one: replica(watching, clock), other: replica(counters, clock) };
}

const hold = (key: string, amount: number, limit = 100) => [{ key, amount, limit }];
const state = async (counters: Counters, key = "hot") => (await counters.read([key]))[0];

test("many holds are one slice in the store, and told together when it goes back", async () => {
  const { clock, counters, asked, one } = world();
  for (let n = 0; n < 6; n++) {
    expect(await one.reserve(`${n}`, hold("hot", 3), leaseMs)).toMatchObject({ granted: true, standing: { hot: { used: 0 } } });
    await one.settle(`${n}`, { hot: 2 });
  }
  expect(asked).toEqual(["reserve hot 20"]);
  expect(await state(counters)).toEqual({ used: 0, held: 20 });
  await clock.advance(2 * leaseMs);
  expect(asked).toEqual(["reserve hot 20", 'settle {"hot":12}']);
  expect(await state(counters)).toEqual({ used: 12, held: 0 });
  expect(clock.pending).toBe(0);
});

test("a slice is used to the last unit, and the next one asked for when it is used up", async () => {
  const { counters, asked, one } = world();
  for (let n = 0; n < 7; n++) await one.reserve(`${n}`, hold("hot", 3), leaseMs);
  for (let n = 0; n < 7; n++) await one.settle(`${n}`, { hot: 3 });
  expect(asked).toEqual(["reserve hot 20", "reserve hot 20", 'settle {"hot":20}']);
  await one.close();
  expect(await state(counters)).toEqual({ used: 21, held: 0 });
});

test("near the limit exactly what is needed is asked for: one process can use all of it", async () => {
  const { counters, one } = world();
  const granted: boolean[] = [];
  for (let n = 0; n < 9; n++) granted.push((await one.reserve(`${n}`, hold("hot", 3, 25), leaseMs)).granted);
  expect(granted.filter(Boolean)).toHaveLength(8);
  expect(await one.reserve("more", hold("hot", 2, 25), leaseMs)).toMatchObject({ granted: false, refusedBy: "hot", used: 0, held: 24 });
  expect(await one.reserve("last", hold("hot", 1, 25), leaseMs)).toMatchObject({ granted: true, standing: { hot: { used: 0, held: 25 } } });
  expect(await state(counters)).toEqual({ used: 0, held: 25 });
});

test("a slice nobody uses goes back before its time is over; one in use is kept until then, and no longer", async () => {
  const { clock, asked, one } = world();
  const use = async (id: string) => {
    await one.reserve(id, hold("hot", 1), leaseMs);
    await one.settle(id, { hot: 1 });
  };
  for (let n = 0; n < 4; n++) {
    await use(`${n}`);
    await clock.advance(leaseMs / 5);
  }
  await use("last");
  expect(asked).toEqual(["reserve hot 20"]);
  await clock.advance(leaseMs / 5);
  expect(asked).toEqual(["reserve hot 20", 'settle {"hot":5}']);
  await use("one more");
  await clock.advance(leaseMs / 2);
  expect(asked).toEqual(["reserve hot 20", 'settle {"hot":5}', "reserve hot 20", 'settle {"hot":1}']);
});

test("nothing is served from a slice whose time is over, however late its timer is", async () => {
  const clock = fakeClock();
  const { watching, asked } = watched(storeOn(clock).counters);
  const late = sliced(watching, { shareOf, newId, clock: { now: () => clock.now(), after: () => () => {} } });
  await late.reserve("1", hold("hot", 1), leaseMs);
  await clock.advance(leaseMs);
  await late.reserve("2", hold("hot", 1), leaseMs);
  expect(asked).toEqual(["reserve hot 20", "reserve hot 20"]);
});

test("64 at a time ask for as many slices as they need", async () => {
  const { asked, one } = world();
  const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => one.reserve(`${n}`, hold("hot", 3, 100), leaseMs)));
  expect(answers.filter(({ granted }) => granted)).toHaveLength(33);
  expect(asked.filter((what) => what === "reserve hot 20")).toHaveLength(5 + 31);
});

test("over sliced keys and others all is held or nothing", async () => {
  const { counters, one } = world();
  const wanted = (cold: number) => [...hold("cold", cold, 5), ...hold("hot", 3)];
  expect(await one.reserve("1", wanted(6), leaseMs)).toMatchObject({ granted: false, refusedBy: "cold" });
  expect(await one.open("")).toEqual([]);
  expect(await one.reserve("1", wanted(5), leaseMs)).toMatchObject({ granted: true, standing: { cold: { held: 5 }, hot: { held: 3 } } });
  expect(await one.reserve("1", wanted(5), leaseMs)).toMatchObject({ granted: true });
  expect(await one.reserve("2", [...hold("hot", 101), ...hold("cold", 0, 9)], leaseMs)).toMatchObject({ granted: false, refusedBy: "hot" });
  expect(await one.open("1")).toEqual([
    { id: "1", key: "cold", amount: 5 },
    { id: "1", key: "hot", amount: 3 },
  ]);
  await Promise.all([one.settle("1", { cold: 1, hot: 2, other: 4 }), one.settle("1", { cold: 1, hot: 2, other: 4 })]);
  await one.close();
  expect(await counters.read(["hot", "cold", "other"])).toEqual([2, 1, 4].map((used) => ({ used, held: 0 })));
});

test("the same id holds once while it is held, and afresh when it was settled", async () => {
  const { one, counters } = world();
  await Promise.all([1, 2, 3].map(() => one.reserve("1", hold("hot", 3), leaseMs)));
  expect(await one.open("")).toEqual([{ id: "1", key: "hot", amount: 3 }]);
  await Promise.all([1, 2].map(() => one.settle("1", { hot: 1, "hot too": 2 })));
  await one.reserve("1", hold("hot", 3), leaseMs);
  await one.settle("1", { hot: 1 });
  await one.settle("unknown", { hot: 9 });
  await one.close();
  expect(await counters.read(["hot", "hot too"])).toEqual([
    { used: 2, held: 0 },
    { used: 2, held: 0 },
  ]);
});

test("what is used beyond what was held is told, and nothing is given out against it", async () => {
  const { counters, one, other } = world();
  await one.reserve("1", hold("hot", 3), leaseMs);
  await one.settle("1", { hot: 90 });
  expect(await state(counters)).toEqual({ used: 90, held: 0 });
  expect(await other.reserve("2", hold("hot", 11), leaseMs)).toMatchObject({ granted: false });
  expect(await one.reserve("3", hold("hot", 10), leaseMs)).toMatchObject({ granted: true });
  await one.settle("3", {});
  for (const id of ["4", "5"]) await one.reserve(id, hold("hot", 1), leaseMs);
  await one.settle("4", { hot: 15 });
  expect(await one.reserve("6", hold("hot", 1), leaseMs)).toMatchObject({ granted: false });
});

test("a hold that outlives its slice's time is covered all along, and corrected when it is settled", async () => {
  const { clock, counters, one, other } = world();
  await one.reserve("long", hold("hot", 3, 25), leaseMs);
  await clock.advance(5 * leaseMs);
  expect(await state(counters)).toEqual({ used: 20, held: 0 });
  expect(await other.reserve("2", hold("hot", 6, 25), leaseMs)).toMatchObject({ granted: false });
  await one.settle("long", { hot: 1 });
  expect(await state(counters)).toEqual({ used: 1, held: 0 });
});

test("a tighter limit is looked at by the store", async () => {
  const { one } = world();
  await one.reserve("1", hold("hot", 3, 100), leaseMs);
  await one.settle("1", { hot: 3 });
  expect(await one.reserve("2", hold("hot", 3, 5), leaseMs)).toMatchObject({ granted: false, refusedBy: "hot", used: 3, held: 0 });
  expect(await one.reserve("3", hold("hot", 2, 5), leaseMs)).toMatchObject({ granted: true });
});

test("a run's keys are forgotten with it, slices and all", async () => {
  const { clock, counters, one } = world();
  await one.reserve("1", [{ key: "hot", amount: 3, limit: 9, run: "r" }, ...hold("hot too", 1)], leaseMs);
  await one.forget("r");
  expect(await one.open("")).toEqual([{ id: "1", key: "hot too", amount: 1 }]);
  await one.settle("1", { "hot too": 1 });
  await clock.advance(2 * leaseMs);
  expect(await counters.read(["hot", "hot too"])).toEqual([0, 1].map((used) => ({ used, held: 0 })));
  expect(clock.pending).toBe(0);
});

test("a store that fails keeps nothing from going on afterwards", async () => {
  const clock = fakeClock();
  const { counters } = storeOn(clock);
  let failing = true;
  const fail = () => Promise.reject(new Error("away"));
  const one = replica(
    {
      ...counters,
      reserve: (...args) => (failing ? fail() : counters.reserve(...args)),
      settle: (...args) => (failing ? fail() : counters.settle(...args)),
    },
    clock,
  );
  await expect(one.reserve("1", hold("hot", 3), leaseMs)).rejects.toThrow("away");
  failing = false;
  await one.reserve("1", hold("hot", 3), leaseMs);
  failing = true;
  await one.settle("1", { hot: 20 });
  await clock.advance(leaseMs);
  failing = false;
  await clock.advance(leaseMs);
  expect(await state(counters)).toEqual({ used: 20, held: 0 });
  expect(clock.pending).toBe(0);
});

type Act =
  | { readonly kind: "reserve"; readonly by: readonly number[]; readonly amount: number }
  | { readonly kind: "settle"; readonly which: number; readonly share: number }
  | { readonly kind: "die"; readonly which: number }
  | { readonly kind: "advance"; readonly ms: number };

const acts = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("reserve" as const),
        by: fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }),
        amount: fc.nat(9),
      }),
    },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant("settle" as const), which: fc.nat(), share: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("die" as const), which: fc.nat(2) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(2 * leaseMs) }) },
  ),
  { maxLength: 60 },
);

/** Lives through all of it; after each act no limit is passed, and the store covers all that was used and is held. */
async function live(counters: Counters, clock: FakeClock, key: string, todo: readonly Act[]) {
  const limit = 60;
  const replicas = Array.from({ length: 3 }, () => replica(counters, clock));
  const open: { readonly id: string; readonly amount: number; readonly by: ReturnType<typeof replica> }[] = [];
  let [spent, lost, deaths] = [0, 0, 0];
  const reserve = async (n: number, amount: number) => {
    const by = replicas[n] ?? expect.fail();
    const id = newId();
    if ((await by.reserve(id, hold(key, amount, limit), leaseMs)).granted) open.push({ id, amount, by });
  };
  const settle = async (which: number, share: number) => {
    const [one] = open.splice(which % Math.max(1, open.length), 1);
    if (!one) return;
    const used = Math.floor((one.amount * share) / 4);
    spent += used;
    await one.by.settle(one.id, { [key]: used });
  };
  for (const act of todo) {
    if (act.kind === "reserve") await Promise.all(act.by.map((n) => reserve(n, act.amount)));
    else if (act.kind === "settle") await settle(act.which, act.share);
    else if (act.kind === "advance") await clock.advance(act.ms);
    else {
      const dead = replicas[act.which] ?? expect.fail();
      dead.die();
      deaths += 1;
      for (const one of open.filter(({ by }) => by === dead)) lost += open.splice(open.indexOf(one), 1)[0]?.amount ?? 0;
      replicas[act.which] = replica(counters, clock);
    }
    const held = open.reduce((sum, { amount }) => sum + amount, 0);
    const store = (await state(counters, key)) ?? expect.fail();
    expect(spent + lost + held).toBeLessThanOrEqual(limit);
    expect(store.used + store.held).toBeLessThanOrEqual(limit);
    expect(store.used + store.held).toBeGreaterThanOrEqual(spent + lost + held);
  }
  while (open.length > 0) await settle(0, 4);
  await Promise.all(replicas.map((one) => one.close()));
  await clock.advance(2 * leaseMs);
  const end = (await state(counters, key)) ?? expect.fail();
  expect(end.held).toBe(0);
  expect(end.used).toBeGreaterThanOrEqual(spent + lost);
  if (deaths === 0) expect(end.used).toBe(spent);
}

describe("whatever is held, settled and killed, the limit holds, and in the end nothing is held", () => {
  test("in memory", async () => {
    const property = fc.asyncProperty(acts, async (todo) => {
      const clock = fakeClock();
      await live(storeOn(clock).counters, clock, "hot", todo);
    });
    await fc.assert(property, { numRuns: 150 });
  });

  test("in a SQLite file", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "airworthy-slices-"));
    const clock = fakeClock();
    const store = sqlite(join(folder, "runs.db"), { now: () => clock.now() });
    onTestFinished(async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(acts, (todo) => live(store.counters, clock, `hot ${++round}`, todo)),
      { numRuns: 15 },
    );
  });
});
