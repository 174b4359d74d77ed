// What a journal with leases has to do: one driver per run while the lease lasts, and runs that can be found.
import { deepEqual, equal } from "node:assert/strict";
import { header, refused, type StoreCase, storeCase } from "./store-under-test.ts";

const lease = (owner: string, forMs = 1_000) => ({ owner, forMs });

export const leaseCases: readonly StoreCase[] = [
  storeCase("a leased run is free when its lease has run out, and not before", async ({ journal, advance }) => {
    await journal.create(header("r"), ["1"], lease("w1"));
    await advance(999);
    equal(await journal.claim("r", lease("w2"), "ifFree"), undefined);
    deepEqual(await journal.free("a", 10), []);
    await advance(1);
    deepEqual(await journal.free("a", 10), ["r"]);
    deepEqual(await journal.claim("r", lease("w2"), "ifFree"), { epoch: 2, lines: ["1"] });
    equal(await journal.claim("r", lease("w3"), "ifFree"), undefined);
    await refused("journal_conflict", () => journal.append("r", { epoch: 1, sequence: 1 }, ["x"], "running"));
    await advance(1_000);
    equal((await journal.claim("r", lease("w3"), "ifFree"))?.epoch, 3);
  }),
  storeCase("of many workers that ask for a free run one gets it", async ({ journal, advance }) => {
    await journal.create(header("r"), ["1"], lease("w0"));
    await advance(1_000);
    const claims = await Promise.all(Array.from({ length: 16 }, (_, n) => journal.claim("r", lease(`w${n}`), "ifFree")));
    deepEqual(
      claims.filter((claim) => claim !== undefined),
      [{ epoch: 2, lines: ["1"] }],
    );
  }),
  storeCase("a run without a lease is free; one that stopped or ended is not, leased or not", async ({ journal }) => {
    await journal.create(header("r"), []);
    deepEqual(await journal.free("a", 10), ["r"]);
    deepEqual(await journal.free("b", 10), []);
    for (const [sequence, phase] of (["stopped", "ended"] as const).entries()) {
      await journal.append("r", { epoch: 1, sequence }, ["x"], phase);
      deepEqual(await journal.free("a", 10), []);
      equal(await journal.claim("r", lease("w"), "ifFree"), undefined);
    }
    equal((await journal.claim("r", lease("w")))?.epoch, 2);
  }),
  storeCase("whoever claims without the condition takes over, and a claim without a lease leaves it free", async ({ journal }) => {
    await journal.create(header("r"), [], lease("w1"));
    equal((await journal.claim("r", lease("w2")))?.epoch, 2);
    equal(await journal.claim("r", lease("w3"), "ifFree"), undefined);
    equal((await journal.claim("r"))?.epoch, 3);
    equal((await journal.claim("r", lease("w3"), "ifFree"))?.epoch, 4);
  }),
  storeCase("a renewed lease lasts longer, and those that were lost are told", async ({ journal, advance }) => {
    for (const runId of ["mine", "lost", "late"]) await journal.create(header(runId), [], lease("w1"));
    await journal.claim("lost", lease("w2", 5_000));
    await advance(1_500);
    const held = ["mine", "lost", "late", "gone"].map((runId) => ({ runId, epoch: 1 }));
    deepEqual((await journal.renew(held, 1_000)).toSorted(), ["gone", "lost"]);
    await advance(999);
    deepEqual(await journal.free("a", 10), []);
    await advance(1);
    deepEqual((await journal.free("a", 10)).toSorted(), ["late", "mine"]);
    deepEqual(await journal.renew([], 1_000), []);
  }),
  storeCase("more leases than fit into one statement are renewed", async ({ journal, advance }) => {
    const held = Array.from({ length: 1_200 }, (_, n) => ({ runId: `r${n}`, epoch: 1 }));
    await Promise.all(held.map(({ runId }) => journal.create(header(runId), [], lease("w"))));
    deepEqual(await journal.renew(held, 5_000), []);
    await advance(4_999);
    deepEqual(await journal.free("a", 10), []);
  }),
  storeCase("a released run is free at once, but only its owner can release it", async ({ journal }) => {
    await journal.create(header("r"), [], lease("w1"));
    await journal.claim("r", lease("w2"));
    await journal.release("r", 1);
    deepEqual(await journal.free("a", 10), []);
    await journal.release("r", 2);
    deepEqual(await journal.free("a", 10), ["r"]);
    await journal.release("nobody", 1);
  }),
  storeCase("free runs come in the order of their waiting, so many as were asked for", async ({ journal, advance }) => {
    await journal.create(header("second"), [], lease("w", 200));
    await journal.create(header("first"), [], lease("w", 100));
    await journal.create(header("third"), [], lease("w", 300));
    await advance(1_000);
    deepEqual(await journal.free("a", 10), ["first", "second", "third"]);
    deepEqual(await journal.free("a", 2), ["first", "second"]);
  }),
];

export const findCases: readonly StoreCase[] = [
  storeCase("runs are found by everything a query can say", async ({ journal }) => {
    const full = { user: "u", tenant: "t", conversationId: "c", parent: "p" };
    await journal.create(header("r", full), ["x"]);
    await journal.create(header("s", { agent: "b" }), ["x"]);
    await journal.append("s", { epoch: 1, sequence: 1 }, ["y"], "stopped");
    const [first, ...others] = await journal.find(full);
    deepEqual(others, []);
    deepEqual({ ...first, createdAt: 0, updatedAt: 0 }, { ...header("r", full), phase: "running", createdAt: 0, updatedAt: 0 });
    const queries = [{ agent: "b" }, { phase: "stopped" }] as const;
    for (const query of queries) {
      deepEqual(
        (await journal.find(query)).map(({ runId }) => runId),
        ["s"],
      );
    }
    for (const query of [{ agent: "c" }, { user: "v" }, { tenant: "u" }, { ...full, parent: "q" }, { phase: "ended" }] as const) {
      deepEqual(await journal.find(query), []);
    }
  }),
  storeCase("when a run was made and changed is known", async ({ journal, advance }) => {
    await journal.create(header("r"), ["x"]);
    await advance(500);
    await journal.append("r", { epoch: 1, sequence: 1 }, ["y"], "ended");
    const [run] = await journal.find({});
    deepEqual([run?.phase, (run?.updatedAt ?? 0) - (run?.createdAt ?? 0)], ["ended", 500]);
  }),
  storeCase("runs are found page by page, the newest first, also those of one moment", async ({ journal, advance }) => {
    for (let n = 0; n < 25; n++) {
      await journal.create(header(`r${n}`, n % 5 === 0 ? { user: "u" } : {}), []);
      if (n % 3 === 0) await advance(1);
    }
    const all = (await journal.find({ limit: 100 })).map(({ runId }) => runId);
    equal(new Set(all).size, 25);
    deepEqual(
      [all[0], all.at(-1)].map((runId) => ["r24", "r22", "r23"].includes(runId ?? "") || runId === "r0"),
      [true, true],
    );
    const pages: string[] = [];
    for (let page = await journal.find({ limit: 7 }); page.length > 0; ) {
      pages.push(...page.map(({ runId }) => runId));
      const after = pages.at(-1);
      page = await journal.find({ limit: 7, ...(after === undefined ? {} : { after }) });
    }
    deepEqual(pages, all);
    const mine = (await journal.find({ user: "u", after: all[5] ?? "" })).map(({ runId }) => runId);
    deepEqual(
      mine,
      all.slice(6).filter((runId) => Number(runId.slice(1)) % 5 === 0),
    );
    deepEqual(await journal.find({ after: "nobody" }), []);
  }),
  storeCase("no more than 100 are found unasked, and never more than 1,000", async ({ journal }) => {
    await Promise.all(Array.from({ length: 1_002 }, (_, n) => journal.create(header(`r${n}`), [])));
    equal((await journal.find({})).length, 100);
    equal((await journal.find({ limit: 5_000 })).length, 1_000);
  }),
];
