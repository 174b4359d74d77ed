// A store in front of which an agent reserves ahead what its budgets say: many calls a second then need not wait for one row.
import { uuidv7 } from "uuidv7";
import type { Clock } from "../core/clock.ts";
import type { Store } from "../core/store.ts";
import type { AgentParts } from "../pipeline/line.ts";
import type { Budgets } from "../policy/budgets/budgets.ts";
import { sliced } from "../policy/slices/slices.ts";
import { backgroundClock, systemClock } from "../resilience/system-clock.ts";

/** How long a process may take to give a slice back before it counts as used. */
const sliceMs = 60_000;

/** The store itself when nothing is reserved ahead. */
export function slicedStore(store: Store, budgets: Budgets, clock: Clock): Pick<AgentParts, "store" | "plainStore" | "giveBack"> {
  if (!budgets.slices || !store.counters) return { store, plainStore: store, giveBack: () => Promise.resolve() };
  const shareOf = (key: string) => {
    const amount = budgets.sliceOf(key);
    return amount === undefined ? undefined : { amount, forMs: sliceMs };
  };
  const background = clock === systemClock ? backgroundClock : clock;
  const counters = sliced(store.counters, { shareOf, clock: background, newId: () => `slice/${uuidv7()}` });
  const { journal, records, inbox } = store;
  return {
    plainStore: store,
    store: { journal, counters, ...(records ? { records } : {}), ...(inbox ? { inbox } : {}) },
    giveBack: () => counters.close(),
  };
}
