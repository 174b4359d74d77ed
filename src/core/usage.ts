// Tokens as a provider reports them. Invariant: what it does not report is absent, never 0 and never NaN.

/** What one model call used, in tokens. */
export interface Usage {
  /** All input, cached input included. */
  readonly inputTokens?: number;
  readonly inputTokenDetails?: { readonly cacheReadTokens?: number; readonly cacheWriteTokens?: number };
  /** All output, reasoning included. */
  readonly outputTokens?: number;
  readonly outputTokenDetails?: { readonly reasoningTokens?: number };
}

/** What of a report can be counted: whole or not, but finite and not negative. Undefined when nothing can. */
export function knownUsage(usage: Usage | undefined): Usage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const { inputTokens, inputTokenDetails, outputTokens, outputTokenDetails, ...others } = usage;
  const parts = [inputTokens, outputTokens, inputTokenDetails, outputTokenDetails];
  const isClean = parts.some((part) => part !== undefined) && parts.every(isCounted) && Object.keys(others).length === 0;
  // Nearly every report is as it should be, and one is looked at several times.
  if (isClean) return usage;
  const known = {
    ...counted({ inputTokens, outputTokens }),
    ...within("inputTokenDetails", counted({ ...inputTokenDetails })),
    ...within("outputTokenDetails", counted({ ...outputTokenDetails })),
  };
  return Object.keys(known).length > 0 ? known : undefined;
}

const isCount = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;

/** A count, counts side by side, or nothing at all. */
function isCounted(part: unknown): boolean {
  if (typeof part !== "object" || part === null) return part === undefined || isCount(part);
  const counts = Object.values(part);
  return counts.length > 0 && counts.every(isCount);
}

const counted = (counts: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => isCount(count)));

const within = (name: string, counts: object) => (Object.keys(counts).length > 0 ? { [name]: counts } : {});
