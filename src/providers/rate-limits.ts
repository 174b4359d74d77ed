// Allowances as headers tell them, whatever the headers are called. Invariant: what cannot be read is left out.
import type { RateLimit, RateLimits } from "../core/model.ts";

/** What the headers hold of one allowance, as text; `resetAt` has been understood by the adapter. */
export interface ToldLimit {
  readonly limit: string | null;
  readonly remaining: string | null;
  /** Epoch ms. */
  readonly resetAt: number | undefined;
}

/** Of each allowance what `read` finds in the headers; undefined when that is nothing at all. */
export function rateLimitsOf(names: readonly (keyof RateLimits)[], read: (name: keyof RateLimits) => ToldLimit): RateLimits | undefined {
  const found = names.map((name) => [name, rateLimitOf(read(name))] as const).filter(([, limit]) => Object.keys(limit).length > 0);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

function rateLimitOf({ limit, remaining, resetAt }: ToldLimit): RateLimit {
  const most = countOf(limit);
  const left = countOf(remaining);
  return {
    ...(most === undefined ? {} : { limit: most }),
    ...(left === undefined ? {} : { remaining: left }),
    ...(resetAt === undefined ? {} : { resetAt }),
  };
}

const countOf = (text: string | null) => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined);
