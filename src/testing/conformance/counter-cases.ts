// What counters have to do: hold all or nothing, never pass a limit, and count what was really used, once.
import { deepEqual, equal } from "node:assert/strict";
import type { Granted } from "../../core/store.ts";
import { type StoreCase, storeCase } from "./store-under-test.ts";

const hour = 3_600_000;

const granted = (standing: Granted["standing"]): Granted => ({ granted: true, standing });

export const counterCases: readonly StoreCase[] = [
  storeCase("what is reserved is held, and what is settled is used", async ({ counters }) => {
    deepEqual(await counters.reserve("1", [{ key: "k", amount: 6, limit: 10 }], hour), granted({ k: { used: 0, held: 6 } }));
    deepEqual(await counters.read(["k", "never"]), [
      { used: 0, held: 6 },
      { used: 0, held: 0 },
    ]);
    await counters.settle("1", { k: 2 });
    deepEqual(await counters.read(["k"]), [{ used: 2, held: 0 }]);
    deepEqual(await counters.reserve("2", [{ key: "k", amount: 8, limit: 10 }], hour), granted({ k: { used: 2, held: 8 } }));
    deepEqual(await counters.reserve("3", [], hour), granted({}));
  }),
  storeCase("up to the limit, and not one more; a refusal says where it stands and leaves nothing", async ({ counters }) => {
    equal((await counters.reserve("1", [{ key: "k", amount: 10, limit: 10 }], hour)).granted, true);
    const refused = { granted: false, refusedBy: "k", used: 0, held: 10 };
    deepEqual(await counters.reserve("2", [{ key: "k", amount: 1, limit: 10 }], hour), refused);
    equal((await counters.reserve("2", [{ key: "k", amount: 1, limit: 11 }], hour)).granted, true);
    equal((await counters.reserve("0", [{ key: "k", amount: 0, limit: 11 }], hour)).granted, true);
    deepEqual(await counters.read(["k"]), [{ used: 0, held: 11 }]);
  }),
  storeCase("over several keys all is held or nothing", async ({ counters }) => {
    await counters.reserve("1", [{ key: "c", amount: 5, limit: 5 }], hour);
    const wanted = ["d", "c", "b", "a"].map((key) => ({ key, amount: 1, limit: 5 }));
    deepEqual(await counters.reserve("2", wanted, hour), { granted: false, refusedBy: "c", used: 0, held: 5 });
    deepEqual(
      (await counters.read(["a", "b", "c", "d"])).map(({ held }) => held),
      [0, 0, 5, 0],
    );
  }),
  storeCase("two holds of one key count together", async ({ counters }) => {
    const twice = [1, 2].map((amount) => ({ key: "k", amount, limit: 4 }));
    deepEqual(await counters.reserve("1", twice, hour), granted({ k: { used: 0, held: 3 } }));
    deepEqual(await counters.reserve("2", twice, hour), { granted: false, refusedBy: "k", used: 0, held: 3 });
  }),
  storeCase("the same id holds once while it is held, also when it has run out", async ({ counters, advance }) => {
    const holds = [{ key: "k", amount: 4, limit: 5 }];
    const once = granted({ k: { used: 0, held: 4 } });
    deepEqual(await Promise.all([1, 2, 3].map(() => counters.reserve("1", holds, hour))), [once, once, once]);
    deepEqual(await counters.read(["k"]), [{ used: 0, held: 4 }]);
    await advance(hour);
    equal((await counters.reserve("1", holds, hour)).granted, true);
    deepEqual(await counters.read(["k"]), [{ used: 4, held: 0 }]);
  }),
  storeCase("the same id asked at the same time is not refused by what it holds itself", async ({ counters }) => {
    for (let n = 0; n < 20; n++) {
      const holds = [{ key: `k${n}`, amount: 4, limit: 5 }];
      await counters.reserve(`first ${n}`, [{ key: `k${n}`, amount: 0, limit: 5 }], hour);
      const answers = await Promise.all([1, 2, 3, 4].map(() => counters.reserve(`${n}`, holds, hour)));
      deepEqual(
        answers.map(({ granted: was }) => was),
        [true, true, true, true],
      );
      await Promise.all([1, 2, 3].map(() => counters.settle(`${n}`, { [`k${n}`]: 3 })));
      deepEqual(await counters.read([`k${n}`]), [{ used: 3, held: 0 }]);
    }
  }),
  storeCase("the same id holds afresh once it was settled or refused", async ({ counters }) => {
    const holds = [{ key: "k", amount: 4, limit: 10 }];
    await counters.reserve("1", holds, hour);
    await counters.settle("1", { k: 5 });
    deepEqual(await counters.reserve("1", holds, hour), granted({ k: { used: 5, held: 4 } }));
    equal((await counters.reserve("2", holds, hour)).granted, false);
    await counters.settle("1", { k: 1 });
    await counters.settle("1", { k: 1 });
    deepEqual(await counters.reserve("2", holds, hour), granted({ k: { used: 6, held: 4 } }));
    await counters.settle("2", {});
    deepEqual(await counters.read(["k"]), [{ used: 6, held: 0 }]);
  }),
  storeCase("settling counts once; keys left out used nothing, and more than was held is counted", async ({ counters }) => {
    const keys = ["a", "b", "c"];
    await counters.reserve(
      "1",
      [
        { key: "a", amount: 1, limit: 9 },
        { key: "b", amount: 1, limit: 9 },
      ],
      hour,
    );
    await Promise.all([1, 2, 3].map(() => counters.settle("1", { a: 7, c: 2 })));
    deepEqual(
      (await counters.read(keys)).map(({ used, held }) => [used, held]),
      [
        [7, 0],
        [0, 0],
        [2, 0],
      ],
    );
    await counters.settle("unknown", { a: 1 });
    deepEqual(await counters.read(["a"]), [{ used: 7, held: 0 }]);
  }),
  storeCase("a hold that has run out counts as used, until it is settled", async ({ counters, advance }) => {
    await counters.reserve("1", [{ key: "k", amount: 5, limit: 5 }], 1_000);
    await advance(999);
    deepEqual(await counters.read(["k"]), [{ used: 0, held: 5 }]);
    await advance(1);
    deepEqual(await counters.read(["k"]), [{ used: 5, held: 0 }]);
    equal((await counters.reserve("2", [{ key: "k", amount: 1, limit: 5 }], 1_000)).granted, false);
    await counters.settle("1", { k: 2 });
    deepEqual(await counters.read(["k"]), [{ used: 2, held: 0 }]);
  }),
  storeCase("64 at a time never pass a limit", async ({ counters }) => {
    // What has been there before may be looked at in another way than what has not.
    await counters.reserve("first", [{ key: "k", amount: 0, limit: 100 }], hour);
    const asked = Array.from({ length: 64 }, (_, n) => counters.reserve(`${n}`, [{ key: "k", amount: 3, limit: 100 }], hour));
    equal((await Promise.all(asked)).filter((answer) => answer.granted).length, 33);
    deepEqual(await counters.read(["k"]), [{ used: 0, held: 99 }]);
  }),
  storeCase("64 at a time over the same keys in different orders all get their answer", async ({ counters }) => {
    const keys = ["a", "b", "c", "d"];
    const turned = (n: number) => [...keys.slice(n % 4), ...keys.slice(0, n % 4)].map((key) => ({ key, amount: 1, limit: 40 }));
    const use = async (n: number) => {
      const answer = await counters.reserve(`${n}`, turned(n), hour);
      if (!answer.granted) return 0;
      await counters.settle(`${n}`, { d: 1, a: 1, [`new-${n % 3}`]: 1 });
      return 1;
    };
    const times: number[] = await Promise.all(Array.from({ length: 64 }, (_, n) => use(n)));
    equal(times.filter(Boolean).length, 40);
    deepEqual(
      (await counters.read(keys)).map(({ used, held }) => [used, held]),
      [
        [40, 0],
        [0, 0],
        [0, 0],
        [40, 0],
      ],
    );
  }),
];
