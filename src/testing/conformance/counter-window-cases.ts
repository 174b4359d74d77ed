// What counters have to do for windows that roll and runs that end: count earlier parts along, forget in time, and tell what is open.
import { deepEqual, equal } from "node:assert/strict";
import type { Counters } from "../../core/store.ts";
import { type StoreCase, storeCase } from "./store-under-test.ts";

const hour = 3_600_000;

/** Uses up so much of a key, at once. */
async function use(counters: Counters, key: string, amount: number) {
  await counters.reserve(`use ${key}`, [{ key, amount, limit: amount }], hour);
  await counters.settle(`use ${key}`, { [key]: amount });
}

export const windowCases: readonly StoreCase[] = [
  storeCase("what stands in `also` counts against the limit, and in what is told", async ({ counters }) => {
    await use(counters, "noon", 3);
    await counters.reserve("held", [{ key: "one", amount: 2, limit: 9 }], hour);
    const wanted = (amount: number) => [{ key: "two", amount, limit: 10, also: ["noon", "one", "one", "two", "never"] }];
    deepEqual(await counters.reserve("1", wanted(6), hour), { granted: false, refusedBy: "two", used: 3, held: 2 });
    deepEqual(await counters.reserve("1", wanted(5), hour), { granted: true, standing: { two: { used: 3, held: 7 } } });
    deepEqual((await counters.read(["noon", "one", "two", "never"])).map(Object.values), [
      [3, 0],
      [0, 2],
      [0, 5],
      [0, 0],
    ]);
  }),
  storeCase("what is held at the same time counts along too", async ({ counters }) => {
    const wanted = [
      { key: "a", amount: 3, limit: 5, also: ["b"] },
      { key: "b", amount: 3, limit: 5 },
    ];
    deepEqual(await counters.reserve("1", wanted, hour), { granted: false, refusedBy: "a", used: 0, held: 0 });
    deepEqual((await counters.read(["a", "b"])).map(Object.values), [
      [0, 0],
      [0, 0],
    ]);
  }),
  storeCase("64 at a time over parts of one window never pass its limit", async ({ counters }) => {
    const parts = ["a", "b", "c"];
    const reserve = (n: number) => {
      const key = parts[n % parts.length] ?? "a";
      return counters.reserve(`${n}`, [{ key, amount: 3, limit: 100, also: parts.filter((part) => part !== key) }], hour);
    };
    for (const key of parts) await counters.reserve(key, [{ key, amount: 0, limit: 100 }], hour);
    const answers = await Promise.all(Array.from({ length: 64 }, (_, n) => reserve(n)));
    equal(answers.filter(({ granted }) => granted).length, 33);
    const held = (await counters.read(parts)).map((state) => state.held);
    equal(
      held.reduce((sum, one) => sum + one, 0),
      99,
    );
  }),
];

/** Far from the time of any clock. */
const [longAgo, farOff] = [1, 9_000_000_000_000];

/** So that a store that forgets with time, a little at a time, has had its time. */
async function passBy(counters: Counters) {
  const reserve = (n: number) => counters.reserve(`pass ${n}`, [{ key: `pass ${n}`, amount: 1, limit: 1, until: farOff }], hour);
  await Promise.all(Array.from({ length: 50 }, (_, n) => reserve(n)));
}

export const forgettingCases: readonly StoreCase[] = [
  storeCase("a key nobody asks for any more is forgotten, but not what is held of it", async ({ counters, advance }) => {
    const hold = (id: string, until?: number) =>
      counters.reserve(id, [{ key: id, amount: 2, limit: 2, ...(until && { until }) }], 9 * hour);
    for (const id of ["stale", "lengthened"]) await hold(id, longAgo);
    await hold("held", longAgo);
    await hold("later", farOff);
    await hold("for ever");
    await counters.reserve("more", [{ key: "lengthened", amount: 0, limit: 2, until: farOff }], hour);
    for (const id of ["stale", "lengthened", "later", "for ever"]) await counters.settle(id, { [id]: 2 });
    await counters.settle("more", {});
    await advance(2 * hour);
    await passBy(counters);
    deepEqual((await counters.read(["stale", "lengthened", "held", "later", "for ever"])).map(Object.values), [
      [0, 0],
      [2, 0],
      [0, 2],
      [2, 0],
      [2, 0],
    ]);
    await counters.settle("held", { held: 1 });
    deepEqual(await counters.read(["held"]), [{ used: 1, held: 0 }]);
  }),
  storeCase("the keys of a run are forgotten with it, with what is held of them; others stay", async ({ counters }) => {
    const holds = [
      { key: "of r", amount: 3, limit: 3, run: "r" },
      { key: "of all", amount: 3, limit: 9 },
    ];
    await counters.reserve("1", holds, hour);
    await counters.reserve("2", [{ key: "also of r", amount: 3, limit: 3, run: "r" }], hour);
    await counters.reserve("3", [{ key: "of s", amount: 3, limit: 3, run: "s" }], hour);
    await counters.forget("r");
    await counters.forget("nobody");
    deepEqual((await counters.read(["of r", "also of r", "of s", "of all"])).map(Object.values), [
      [0, 0],
      [0, 0],
      [0, 3],
      [0, 3],
    ]);
    deepEqual(
      (await counters.open("")).map(({ id, key }) => `${id} ${key}`),
      ["1 of all", "3 of s"],
    );
    await counters.settle("1", { "of all": 1 });
    deepEqual(await counters.read(["of all"]), [{ used: 1, held: 0 }]);
    equal((await counters.reserve("2", [{ key: "also of r", amount: 3, limit: 3, run: "r" }], hour)).granted, true);
  }),
  storeCase("what is open is told by the beginning of its id, exactly", async ({ counters, advance }) => {
    const ids = ["r%", "r&", "r%/1", "r%/2", "r_/1", "rx/1", "R%/1", "r", "é/1", "é/😀", "é/\u{10ffff}", "é/\u{10ffff}!", "ê", "é/\uffee"];
    for (const id of ids) await counters.reserve(id, [{ key: "k", amount: 1, limit: 99 }], id === "r%/2" ? 1 : hour);
    const idsOf = async (prefix: string) => (await counters.open(prefix)).map(({ id }) => id);
    await advance(2);
    deepEqual(await idsOf("r%"), ["r%", "r%/1", "r%/2"]);
    deepEqual(await idsOf("r_"), ["r_/1"]);
    deepEqual(await idsOf("é/"), ["é/1", "é/\uffee", "é/😀", "é/\u{10ffff}", "é/\u{10ffff}!"]);
    deepEqual(await idsOf("é/\u{10ffff}"), ["é/\u{10ffff}", "é/\u{10ffff}!"]);
    deepEqual(await idsOf("none"), []);
    equal((await idsOf("")).length, ids.length);
  }),
  storeCase("what is open is told by key, until it is settled", async ({ counters }) => {
    const wanted = ["b", "a"].map((key, position) => ({ key, amount: position + 1, limit: 9 }));
    await counters.reserve("2", wanted, hour);
    await counters.reserve("1", wanted, hour);
    await counters.settle("1", {});
    deepEqual(await counters.open(""), [
      { id: "2", key: "a", amount: 2 },
      { id: "2", key: "b", amount: 1 },
    ]);
  }),
];
