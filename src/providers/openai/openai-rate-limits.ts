// What OpenAI's headers say of allowances. Invariant: what cannot be read is left out.
import type { RateLimits } from "../../core/model.ts";
import { rateLimitsOf } from "../rate-limits.ts";

/** From `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`; undefined when they say nothing. */
export function rateLimitsIn(headers: Headers, now: number): RateLimits | undefined {
  return rateLimitsOf(["requests", "tokens"], (what) => {
    const wait = durationOf(headers.get(`x-ratelimit-reset-${what}`));
    return {
      limit: headers.get(`x-ratelimit-limit-${what}`),
      remaining: headers.get(`x-ratelimit-remaining-${what}`),
      resetAt: wait === undefined ? undefined : now + wait,
    };
  });
}

const milliseconds: ReadonlyMap<string, number> = new Map([
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
  ["us", 0.001],
  ["µs", 0.001],
  ["ns", 0.000_001],
]);

/** Milliseconds, rounded up, of durations such as `1s`, `6m0s` and `120ms`. */
function durationOf(text: string | null): number | undefined {
  if (text === null || !/^(\d{1,9}(\.\d{1,9})?(d|h|m|s|ms|us|µs|ns))+$/.test(text)) return undefined;
  let sum = 0;
  for (const [, amount, unit = ""] of text.matchAll(/([\d.]+)(\D+)/g)) sum += Number(amount) * (milliseconds.get(unit) ?? 0);
  return Math.ceil(sum);
}
