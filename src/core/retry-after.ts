// How long a server asked us to wait, in its three spellings.

/** Looks a header up by its lower-case name. */
export type HeaderLookup = (name: string) => string | null | undefined;

/**
 * Milliseconds to wait from `now`, read from `retry-after-ms`, or `retry-after` in seconds or as an HTTP date.
 * Undefined when absent, negative, past or not a number: then the caller's own back-off applies.
 */
export function retryAfterMs(header: HeaderLookup, now: number): number | undefined {
  const milliseconds = positive(header("retry-after-ms"));
  if (milliseconds !== undefined) return milliseconds;
  const value = header("retry-after");
  if (!value) return undefined;
  const seconds = Number(value);
  if (!Number.isNaN(seconds)) return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
  const wait = Date.parse(value) - now;
  return wait > 0 ? wait : undefined;
}

function positive(value: string | null | undefined): number | undefined {
  const number = value ? Number(value) : Number.NaN;
  return Number.isFinite(number) && number > 0 ? number : undefined;
}
