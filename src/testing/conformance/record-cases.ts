// What records and inboxes have to do: one writer wins, one message counts, values come back as they went in.
import { deepEqual, equal } from "node:assert/strict";
import type { Json } from "../../core/json.ts";
import { refused, type StoreCase, storeCase } from "./store-under-test.ts";

const value = { text: "ü 🚚 \u0000 \ud800 '", list: [1, 1.5, -0.25, 1e21, true, null, []], nested: { b: {}, a: "" } };
const noJson: readonly unknown[] = [new Date(0), { deep: [() => 1] }, Number.NaN, 1n, new Map()];

export const recordCases: readonly StoreCase[] = [
  storeCase("a record is written by whoever knows where it stands", async ({ records }) => {
    equal(await records.get("k", "1"), undefined);
    equal(await records.put("k", "1", value, 1), false);
    equal(await records.put("k", "1", value, 0), true);
    deepEqual(await records.get("k", "1"), { id: "1", version: 1, value });
    equal(await records.put("k", "1", "second", 0), false);
    equal(await records.put("k", "1", "second", 1), true);
    deepEqual(await records.get("k", "1"), { id: "1", version: 2, value: "second" });
    equal(await records.get("other", "1"), undefined);
  }),
  storeCase("of many that write a record at once one does", async ({ records }) => {
    for (const version of [0, 1]) {
      const written = await Promise.all(Array.from({ length: 8 }, (_, n) => records.put("k", "1", n, version)));
      equal(written.filter(Boolean).length, 1);
      deepEqual(await records.get("k", "1"), { id: "1", version: version + 1, value: written.indexOf(true) });
    }
  }),
  storeCase("records are listed by id, page by page", async ({ records }) => {
    for (const id of ["c", "a", "b", "B"]) await records.put("k", id, id, 0);
    await records.put("other", "a", "x", 0);
    const first = await records.list("k", { limit: 3 });
    deepEqual(
      first.map(({ id, value: found }) => [id, found]),
      [
        ["B", "B"],
        ["a", "a"],
        ["b", "b"],
      ],
    );
    deepEqual(await records.list("k", { limit: 3, after: "b" }), [{ id: "c", version: 1, value: "c" }]);
  }),
  storeCase("a record is removed by whoever knows where it stands", async ({ records }) => {
    await records.put("k", "1", "x", 0);
    equal(await records.remove("k", "1", 2), false);
    equal(await records.remove("k", "1", 1), true);
    equal(await records.remove("k", "1", 1), false);
    equal(await records.get("k", "1"), undefined);
    equal(await records.put("k", "1", "y", 0), true);
  }),
  storeCase("what is no JSON is no record", async ({ records }) => {
    for (const wrong of noJson) await refused("journal_value_invalid", () => records.put("k", "1", untyped(wrong), 0));
    equal(await records.get("k", "1"), undefined);
  }),
];

export const inboxCases: readonly StoreCase[] = [
  storeCase("messages are read in the order they were left, from where one has read up to", async ({ inbox }) => {
    deepEqual(await inbox.read("r"), []);
    for (const id of ["z", "a", "m"]) equal(await inbox.post("r", id, { ...value, id }), true);
    await inbox.post("other", "a", "x");
    const read = await inbox.read("r");
    deepEqual(
      read.map(({ id, value: found }) => [id, found]),
      ["z", "a", "m"].map((id) => [id, { ...value, id }]),
    );
    deepEqual(await inbox.read("r", read[0]?.position), read.slice(1));
    deepEqual(await inbox.read("r", read.at(-1)?.position), []);
  }),
  storeCase("of messages with one id the first counts", async ({ inbox }) => {
    const posted = await Promise.all(Array.from({ length: 8 }, (_, n) => inbox.post("r", "1", n)));
    equal(posted.filter(Boolean).length, 1);
    deepEqual(
      (await inbox.read("r")).map(({ value: found }) => found),
      [posted.indexOf(true)],
    );
    equal(await inbox.post("r", "1", "again"), false);
  }),
  storeCase("whoever reads while others post misses nothing", async ({ inbox }) => {
    const posting = Promise.all(Array.from({ length: 64 }, (_, n) => inbox.post("r", `${n}`, n)));
    let done = false;
    const settled = posting.finally(() => (done = true));
    const seen: number[] = [];
    for (let last = false; !last; ) {
      // A store that answers at once must not keep others from posting.
      await new Promise((resolve) => setImmediate(resolve));
      last = done;
      seen.push(...(await inbox.read("r", seen.at(-1))).map(({ position }) => position));
    }
    await settled;
    equal(seen.length, 64);
    deepEqual(
      seen,
      seen.toSorted((one, other) => one - other),
    );
  }),
  storeCase("what is no JSON is no message", async ({ inbox }) => {
    for (const wrong of noJson) await refused("journal_value_invalid", () => inbox.post("r", "1", untyped(wrong)));
    deepEqual(await inbox.read("r"), []);
  }),
];

/** As it comes from code without types. */
const untyped = (wrong: unknown): Json => JSON.parse("0", () => wrong);
