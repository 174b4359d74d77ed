// How long an answer may be for what is left. Pure arithmetic over one limit; a limit after the other tightens it.
import type { Cost } from "../../core/cost.ts";
import type { Limit, WorstCase } from "../../core/ledger.ts";
import type { CounterState, Hold } from "../../core/store.ts";

/** The most an attempt can cost when it says at most so much. */
export function withOutput({ nanoUsd, tokens, output }: WorstCase, most = 0): Cost {
  const said = nanoUsd === undefined ? undefined : Math.ceil(nanoUsd + most * (output?.nanoUsd ?? 0));
  return { ...(said === undefined ? {} : { nanoUsd: said }), tokens: tokens + most };
}

/** Undefined when what is left affords no answer that is of any use, or what would be shortened does not cost anything. */
export function shorterOutput(
  worst: WorstCase,
  asked: number | undefined,
  { limit, hold }: { readonly limit: Limit; readonly hold: Hold },
  { used, held }: CounterState,
): number | undefined {
  const { output, nanoUsd = 0, tokens } = worst;
  if (!output || asked === undefined || limit.measure === "calls") return undefined;
  const left = hold.limit - used - held;
  const perToken = limit.measure === "usd" ? (output.nanoUsd ?? 0) : 1;
  const fixed = limit.measure === "usd" ? nanoUsd : tokens;
  const most = perToken > 0 ? Math.floor((left - fixed) / perToken) : 0;
  return most >= output.least && most < asked ? most : undefined;
}
