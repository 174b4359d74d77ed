// The error of a budget that cannot afford something: whose, how much of it is left, and when there is more.

import type { Measure } from "../../core/cost.ts";
import { AgentError } from "../../core/errors.ts";
import type { Limit } from "../../core/ledger.ts";
import { usdOf } from "../../core/price.ts";
import type { CounterState } from "../../core/store.ts";

/** Amounts in `details` are US dollars, tokens or calls; `resetsAt` is epoch ms, and absent when the limit holds for ever. */
export function exceeded(limit: Limit, most: number, { used, held }: CounterState, requested: number, resetsAt?: number): AgentError {
  const { scope, measure } = limit;
  const told = (amount: number) => amountIn(measure, amount);
  const left = Math.max(0, most - used - held);
  const rest = left > 0 ? `${shown(measure, left)} of ${shown(measure, most)} left` : `nothing of ${shown(measure, most)} left`;
  const message = `The budget of ${scope} cannot afford it: ${shown(measure, requested)} needed at most, ${rest}.`;
  return new AgentError("budget_exceeded", message, {
    details: {
      scope,
      measure,
      limit: told(most),
      spent: told(used),
      reserved: told(held),
      requested: told(requested),
      ...(resetsAt === undefined ? {} : { resetsAt }),
    },
  });
}

/** What people see of an amount: dollars, not nano-dollars. */
export const amountIn = (measure: Measure, amount: number): number => (measure === "usd" ? usdOf(amount) : amount);

function shown(measure: Measure, amount: number): string {
  if (measure !== "usd") return amount === 1 ? `1 ${measure.slice(0, -1)}` : `${amount} ${measure}`;
  return `$${usdOf(amount)
    .toFixed(9)
    .replace(/(\.\d\d\d*?)0+$/, "$1")}`;
}
