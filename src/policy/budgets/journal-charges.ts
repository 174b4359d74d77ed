// A view: what every attempt of a run has cost as its journal says, or that it was begun and nobody knows.

import type { Charge } from "../../core/cost.ts";
import type { Entry } from "../../core/journal.ts";
import type { AttemptId } from "../../core/ledger.ts";

/** Names an attempt within its run. */
export const chargeKey = ({ key, attempt }: AttemptId): string => `${attempt}/${key}`;

/** By `chargeKey`; `open`: begun, and nothing has been heard of what it cost. */
export function chargesIn(entries: readonly Entry[]): ReadonlyMap<string, Charge | "open"> {
  const charges = new Map<string, Charge | "open">();
  for (const entry of entries) {
    if (entry.type === "attempt.started") charges.set(chargeKey(entry), "open");
    else if (entry.type === "attempt.failed" && entry.cost) charges.set(chargeKey(entry), entry.cost);
    else if ((entry.type === "step.done" || entry.type === "step.abandoned") && entry.cost)
      charges.set(chargeKey({ key: entry.key, attempt: entry.attempts }), entry.cost);
  }
  return charges;
}
