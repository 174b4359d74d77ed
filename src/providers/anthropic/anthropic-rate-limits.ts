// What Anthropic's headers say of the allowances of an account. Invariant: a number that is none and a time that is none are left out.
import type { RateLimit, RateLimits } from "../../core/model.ts";

/** Reads `anthropic-ratelimit-<what>-limit`, `-remaining` and `-reset` (RFC 3339); undefined when there are none. */
export function rateLimitsIn(headers: Headers): RateLimits | undefined {
  const limits = {
    ...named("requests", rateLimit(headers, "requests")),
    ...named("tokens", rateLimit(headers, "tokens")),
    ...named("inputTokens", rateLimit(headers, "input-tokens")),
    ...named("outputTokens", rateLimit(headers, "output-tokens")),
  };
  return Object.keys(limits).length > 0 ? limits : undefined;
}

const named = (name: keyof RateLimits, limit: RateLimit): RateLimits => (Object.keys(limit).length > 0 ? { [name]: limit } : {});

function rateLimit(headers: Headers, what: string): RateLimit {
  const read = (field: string) => headers.get(`anthropic-ratelimit-${what}-${field}`) ?? "";
  const limit = countOf(read("limit"));
  const remaining = countOf(read("remaining"));
  const resetAt = Date.parse(read("reset"));
  return {
    ...(limit === undefined ? {} : { limit }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(Number.isNaN(resetAt) ? {} : { resetAt }),
  };
}

const countOf = (text: string): number | undefined => (/^\d+$/.test(text) ? Number(text) : undefined);
