// What journals say runs have cost, added up here once more: each attempt counts as what it came to, else as what was set aside for it.
import type { Entry } from "airworthy";

export interface Charges {
  readonly usd: number;
  readonly tokens: number;
  readonly calls: number;
  /** Of the money, what counts as the most it can have been. */
  readonly unconfirmed: number;
}

interface Charged {
  readonly nanoUsd?: number;
  readonly tokens: number;
  readonly basis?: string;
}

/** In nano-dollars, tokens and attempts. */
export function chargesOf(entries: readonly Entry[], how?: "at most what was set aside"): Charges {
  const attempts = new Map<string, Charged>();
  const charge = (attempt: string, cost: Charged) => {
    const { nanoUsd = 0, tokens } = attempts.get(attempt) ?? cost;
    attempts.set(attempt, how ? { ...cost, nanoUsd: Math.min(cost.nanoUsd ?? 0, nanoUsd), tokens: Math.min(cost.tokens, tokens) } : cost);
  };
  for (const entry of entries) {
    if (entry.type === "attempt.started" && entry.reserved) attempts.set(`${entry.key} ${entry.attempt}`, entry.reserved);
    else if (entry.type === "attempt.failed" && entry.cost) charge(`${entry.key} ${entry.attempt}`, entry.cost);
    else if ((entry.type === "step.done" || entry.type === "step.abandoned") && entry.cost)
      charge(`${entry.key} ${entry.attempts}`, entry.cost);
  }
  const all = [...attempts.values()];
  const isKnown = ({ basis }: { basis?: string }) => basis === "reported" || basis === "declared";
  const money = (some: typeof all) => some.reduce((sum, { nanoUsd = 0 }) => sum + nanoUsd, 0);
  return {
    usd: money(all),
    tokens: all.reduce((sum, { tokens }) => sum + tokens, 0),
    calls: all.length,
    unconfirmed: money(all.filter((one) => !isKnown(one))),
  };
}

export const added = (all: readonly Charges[]): Charges =>
  all.reduce(
    (sum, one) => ({
      usd: sum.usd + one.usd,
      tokens: sum.tokens + one.tokens,
      calls: sum.calls + one.calls,
      unconfirmed: sum.unconfirmed + one.unconfirmed,
    }),
    { usd: 0, tokens: 0, calls: 0, unconfirmed: 0 },
  );
