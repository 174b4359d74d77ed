// What Anthropic's headers say of the allowances of an account. Invariant: what cannot be read is left out.
import type { RateLimits } from "../../core/model.ts";
import { rateLimitsOf } from "../rate-limits.ts";

const inHeaders: Readonly<Record<keyof RateLimits, string>> = {
  requests: "requests",
  tokens: "tokens",
  inputTokens: "input-tokens",
  outputTokens: "output-tokens",
};

/** Reads `anthropic-ratelimit-<what>-limit`, `-remaining` and `-reset` (RFC 3339); undefined when there are none. */
export function rateLimitsIn(headers: Headers): RateLimits | undefined {
  return rateLimitsOf(["requests", "tokens", "inputTokens", "outputTokens"], (name) => {
    const read = (field: string) => headers.get(`anthropic-ratelimit-${inHeaders[name]}-${field}`);
    const resetAt = Date.parse(read("reset") ?? "");
    return { limit: read("limit"), remaining: read("remaining"), resetAt: Number.isNaN(resetAt) ? undefined : resetAt };
  });
}
