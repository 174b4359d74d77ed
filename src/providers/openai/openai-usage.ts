// Usage as both APIs of OpenAI report it, by two sets of names; their input includes what was cached.
import type { Usage } from "../../core/usage.ts";
import { usageOf } from "../usage.ts";
import { countIn, objectIn } from "../wire.ts";

/** Undefined when neither input nor output was reported. */
export function usageIn(value: unknown): Usage | undefined {
  const wire = objectIn(value);
  const inputDetails = objectIn(wire["prompt_tokens_details"] ?? wire["input_tokens_details"]);
  const outputDetails = objectIn(wire["completion_tokens_details"] ?? wire["output_tokens_details"]);
  return usageOf({
    input: countIn(wire["prompt_tokens"] ?? wire["input_tokens"]),
    cacheRead: countIn(inputDetails["cached_tokens"]),
    cacheWrite: countIn(inputDetails["cache_write_tokens"]),
    output: countIn(wire["completion_tokens"] ?? wire["output_tokens"]),
    reasoning: countIn(outputDetails["reasoning_tokens"]),
  });
}
