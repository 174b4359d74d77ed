// The suite against counters that are subtly wrong. Each has to be noticed by the cases that are there for it, which the real ones pass.
import { type Counters, type Hold, memoryStore } from "airworthy";
import { storeConformance } from "airworthy/testing";
import { describe, expect, test } from "vitest";

interface CounterMutant {
  readonly what: string;
  /** Words in the names of the cases that are there for it. */
  readonly by: string;
  readonly wrap: (counters: Counters) => Partial<Counters>;
}

/** Holds something else than was asked. */
const holding =
  (change: (hold: Hold) => Hold): CounterMutant["wrap"] =>
  (real) => ({ reserve: (id, holds, forMs) => real.reserve(id, holds.map(change), forMs) });

const mutants: readonly CounterMutant[] = [
  {
    what: "tells where a key stood before the hold",
    by: "what is reserved is held",
    wrap: (real) => ({
      reserve: async (id, holds, forMs) => {
        const before = await real.read(holds.map(({ key }) => key));
        const answer = await real.reserve(id, holds, forMs);
        if (!answer.granted) return answer;
        return { granted: true, standing: Object.fromEntries(holds.map(({ key }, at) => [key, before[at] ?? { used: 0, held: 0 }])) };
      },
    }),
  },
  { what: "counts nothing along", by: "in `also` counts against", wrap: holding((hold) => ({ ...hold, also: [] })) },
  {
    what: "counts one of several parts along",
    by: "in `also` counts against",
    wrap: holding((hold) => ({ ...hold, also: hold.also?.slice(0, 1) ?? [] })),
  },
  { what: "passes a limit over parts of a window", by: "64 at a time over parts", wrap: holding((hold) => ({ ...hold, also: [] })) },
  {
    what: "looks at `also` before it holds",
    by: "what is held at the same time counts along",
    wrap: (real) => ({
      reserve: async (id, holds, forMs) => {
        const less = async ({ also = [], ...hold }: Hold) => {
          const parts = await real.read(also);
          return { ...hold, limit: hold.limit - parts.reduce((sum, { used, held }) => sum + used + held, 0) };
        };
        return real.reserve(id, await Promise.all(holds.map(less)), forMs);
      },
    }),
  },
  {
    what: "remembers what was settled",
    by: "afresh once it was settled",
    wrap: (real) => {
      const settled = new Set<string>();
      return {
        reserve: (id, holds, forMs) =>
          settled.has(id) ? Promise.resolve({ granted: true, standing: {} }) : real.reserve(id, holds, forMs),
        settle: (id, used) => (settled.add(id), real.settle(id, used)),
      };
    },
  },
  {
    what: "counts again what was settled",
    by: "settling counts once",
    wrap: (real) => ({
      settle: async (id, used) => {
        await real.settle(id, used);
        await real.reserve(`again ${id}`, [{ key: "a", amount: 0, limit: 99 }], 1);
        await real.settle(`again ${id}`, used);
      },
    }),
  },
  { what: "forgets nothing", by: "nobody asks for any more", wrap: holding((hold) => ({ ...hold, until: 9e12 })) },
  { what: "forgets what will be asked for", by: "nobody asks for any more", wrap: holding((hold) => ({ ...hold, until: 1 })) },
  { what: "keeps the keys of a run", by: "forgotten with it", wrap: () => ({ forget: () => Promise.resolve() }) },
  { what: "forgets other keys with a run", by: "forgotten with it", wrap: holding((hold) => ({ ...hold, run: "r" })) },
  {
    what: "takes an id for a pattern",
    by: "beginning of its id",
    wrap: (real) => ({
      open: async (prefix) => {
        const pattern = new RegExp(`^${prefix.replaceAll("_", ".").replaceAll("%", ".*")}`);
        return (await real.open("")).filter(({ id }) => pattern.test(id));
      },
    }),
  },
  {
    what: "takes large letters for small ones",
    by: "beginning of its id",
    wrap: (real) => ({
      open: async (prefix) => (await real.open("")).filter(({ id }) => id.toLowerCase().startsWith(prefix.toLowerCase())),
    }),
  },
  {
    what: "leaves out the last of all characters",
    by: "beginning of its id",
    wrap: (real) => ({ open: async (prefix) => (await real.open(prefix)).filter(({ id }) => id < `${prefix}\u{10ffff}`) }),
  },
  {
    what: "tells what is open in any order",
    by: "told by key",
    wrap: (real) => ({ open: async (prefix) => (await real.open(prefix)).toReversed() }),
  },
];

/** Which of the cases named so reject. */
async function rejecting(by: string, wrap: CounterMutant["wrap"]): Promise<readonly string[]> {
  const storeFor = () => {
    let at = 1_700_000_000_000;
    const store = memoryStore({ now: () => at });
    return { store: { ...store, counters: { ...store.counters, ...wrap(store.counters) } }, advance: (ms: number) => void (at += ms) };
  };
  const cases = storeConformance(storeFor).filter(({ name }) => name.includes(by));
  expect(cases.length).toBeGreaterThan(0);
  const ended = await Promise.allSettled(cases.map((one) => one.run()));
  return cases.flatMap(({ name }, position) => (ended[position]?.status === "rejected" ? [name] : []));
}

describe("counters", () => {
  test.each(mutants)("is noticed: one that $what", async ({ by, wrap }) => {
    expect(await rejecting(by, () => ({}))).toEqual([]);
    expect(await rejecting(by, wrap)).not.toEqual([]);
  });
});
