// Usage as both APIs report it, by two sets of names. Invariant: what was not reported is not there; input includes what was cached.
import type { Usage } from "../../core/usage.ts";
import { countIn, objectIn } from "../wire.ts";

/** Undefined when neither input nor output was reported. */
export function usageIn(value: unknown): Usage | undefined {
  const wire = objectIn(value);
  const input = countIn(wire["prompt_tokens"] ?? wire["input_tokens"]);
  const output = countIn(wire["completion_tokens"] ?? wire["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const inputDetails = objectIn(wire["prompt_tokens_details"] ?? wire["input_tokens_details"]);
  const outputDetails = objectIn(wire["completion_tokens_details"] ?? wire["output_tokens_details"]);
  const read = countIn(inputDetails["cached_tokens"]);
  const write = countIn(inputDetails["cache_write_tokens"]);
  const reasoning = countIn(outputDetails["reasoning_tokens"]);
  const cached = {
    ...(read === undefined ? {} : { cacheReadTokens: read }),
    ...(write === undefined ? {} : { cacheWriteTokens: write }),
  };
  return {
    ...(input === undefined ? {} : { inputTokens: input }),
    ...(read === undefined && write === undefined ? {} : { inputTokenDetails: cached }),
    ...(output === undefined ? {} : { outputTokens: output }),
    ...(reasoning === undefined ? {} : { outputTokenDetails: { reasoningTokens: reasoning } }),
  };
}
