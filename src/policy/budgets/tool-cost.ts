// What a call of a tool costs, as its author has declared it. Invariant: what is not known to have been cheaper counts in full.
import { AgentError } from "../../core/errors.ts";
import type { StepCost } from "../../core/ledger.ts";
import { type NanoUsd, nanoOf } from "../../core/price.ts";
import type { Tool } from "../../core/tool.ts";

/** Throws for a cost that is no amount. `said`: what the tool has answered in the attempt that has just ended, if it has. */
export function toolCost<T>(
  tool: Pick<Tool, "costAtMost" | "costOf">,
  input: unknown,
  said: () => { readonly output: unknown } | undefined,
): StepCost<T> {
  return {
    worst: () => ({ nanoUsd: nanoOfUsd(tool.costAtMost(input)), tokens: 0 }),
    charge: (_outcome, reserved) => {
      const answer = said();
      const usd = answer && tool.costOf(answer.output);
      if (usd !== undefined) return { nanoUsd: nanoOfUsd(usd), tokens: 0, basis: "declared" };
      const nanoUsd = reserved?.nanoUsd ?? nanoOfUsd(tool.costAtMost(input));
      return { nanoUsd, tokens: 0, basis: answer ? "declared" : "reserved" };
    },
  };
}

function nanoOfUsd(usd: unknown): NanoUsd {
  const nano = typeof usd === "number" && usd >= 0 ? nanoOf(usd) : Number.NaN;
  if (Number.isSafeInteger(nano)) return nano;
  throw new AgentError("tool_failed", "The `cost` of the tool answered no amount of US dollars.");
}
