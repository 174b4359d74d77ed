// A store whose process dies: so many writes go through, the one after them and all later ones never come back. What was written stays.
import type { Store } from "airworthy";

export interface CrashingStore {
  readonly store: Store;
  /** Resolves when the process has died. */
  readonly crashed: Promise<void>;
  /** How many writes went through. */
  readonly writes: () => number;
}

/**
 * Everything that changes the store counts as a write: lines, claims, holds and what is told of them. `tellsLate`: what an attempt has cost
 * takes long to tell, as it may where many tell it at once.
 */
export function crashingStore({ journal, counters, ...rest }: Store, lives: number, tellsLate = false): CrashingStore {
  if (!counters) throw new Error("The store has no counters.");
  const death = Promise.withResolvers<void>();
  const turns = tellsLate ? 5 : 0;
  let writes = 0;
  const write = <T>(act: () => T | Promise<T>): Promise<T> => {
    if (writes >= lives) {
      death.resolve();
      return new Promise<never>(() => {});
    }
    writes += 1;
    return Promise.resolve(act());
  };
  const store: Store = {
    ...rest,
    journal: {
      ...journal,
      create: (...asked) => write(() => journal.create(...asked)),
      claim: (...asked) => write(() => journal.claim(...asked)),
      append: (...asked) => write(() => journal.append(...asked)),
    },
    counters: {
      ...counters,
      reserve: (...asked) => write(() => counters.reserve(...asked)),
      settle: async (...asked) => {
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        return write(() => counters.settle(...asked));
      },
      forget: (...asked) => write(() => counters.forget(...asked)),
    },
  };
  return { store, crashed: death.promise, writes: () => writes };
}
