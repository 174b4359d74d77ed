// Tells the counters what attempts have cost, as the journal says it. Invariant: what is not told stays held, and so counts as used.
import type { Charge, Cost } from "../../core/cost.ts";
import type { Entry } from "../../core/journal.ts";
import type { AttemptId } from "../../core/ledger.ts";
import type { Counters, OpenHold } from "../../core/store.ts";
import { keyPart } from "../keys.ts";
import { usedOf } from "./budget-holds.ts";
import { chargeKey, chargesIn } from "./journal-charges.ts";

export interface Settling {
  /** The id of an attempt's hold: of this run and this claim of it. */
  idOf(attempt: AttemptId): string;
  /** The attempt is held on these counters. */
  held(attempt: AttemptId, keys: readonly string[]): void;
  readonly release: (attempt: AttemptId) => void;
  follow(entry: Entry): void;
  /** Settles what earlier passes have left. */
  recover(entries: readonly Entry[]): Promise<void>;
  /** Resolves when everything is told. */
  readonly done: () => Promise<void>;
}

export function createSettling(counters: Counters, runId: string, epoch: number): Settling {
  const prefix = `cost/${keyPart(runId)}/`;
  const held = new Map<string, { readonly id: string; readonly keys: readonly string[] }>();
  const telling = createTelling();
  const idOf = (attempt: AttemptId) => `${prefix}${epoch}/${chargeKey(attempt)}`;

  const settle = (attempt: AttemptId, cost: Cost | undefined) => {
    const name = chargeKey(attempt);
    const hold = held.get(name);
    if (!hold) return;
    held.delete(name);
    telling.add(() => counters.settle(hold.id, cost ? usedOf(hold.keys, cost) : {}));
  };

  return {
    idOf,
    held: (attempt, keys) => void held.set(chargeKey(attempt), { id: idOf(attempt), keys }),
    release: (attempt) => settle(attempt, undefined),
    follow: (entry) => {
      if (entry.type === "attempt.failed" && entry.cost) settle(entry, entry.cost);
      else if ((entry.type === "step.done" || entry.type === "step.abandoned") && entry.cost)
        settle({ key: entry.key, attempt: entry.attempts }, entry.cost);
    },
    recover: async (entries) => {
      const known = chargesIn(entries);
      for (const [id, holds] of Map.groupBy(await counters.open(prefix), ({ id: of }) => of)) {
        const attempt = id.slice(id.indexOf("/", prefix.length) + 1);
        await counters.settle(id, usedBy(known.get(attempt), holds));
      }
    },
    done: telling.done,
  };
}

/** Begun and never heard of again, an attempt counts as all that was held; never begun, as nothing. */
function usedBy(charge: Charge | "open" | undefined, holds: readonly OpenHold[]): Readonly<Record<string, number>> {
  if (charge === undefined) return {};
  if (charge === "open") return Object.fromEntries(holds.map(({ key, amount }) => [key, amount]));
  return usedOf(
    holds.map(({ key }) => key),
    charge,
  );
}

/** One after the other; what cannot be told is left. */
export function createTelling() {
  let last: Promise<void> | undefined;
  return {
    add: (tell: () => Promise<void>) => {
      const told: Promise<void> = (last ?? Promise.resolve())
        .then(tell)
        .catch(() => {})
        .then(() => {
          if (last === told) last = undefined;
        });
      last = told;
    },
    done: async () => {
      await last;
    },
  };
}
