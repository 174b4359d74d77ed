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

/** Several calls together. What none of them reported stays absent. */
export function sumOfUsage(calls: readonly Usage[]): Usage {
  const sum = (countIn: (usage: Usage) => number | undefined) => {
    const known = calls.map(countIn).filter((count) => count !== undefined);
    return known.length > 0 ? known.reduce((one, other) => one + other) : undefined;
  };
  const input = {
    cacheReadTokens: sum(({ inputTokenDetails }) => inputTokenDetails?.cacheReadTokens),
    cacheWriteTokens: sum(({ inputTokenDetails }) => inputTokenDetails?.cacheWriteTokens),
  };
  const output = { reasoningTokens: sum(({ outputTokenDetails }) => outputTokenDetails?.reasoningTokens) };
  return {
    ...counted({ inputTokens: sum(({ inputTokens }) => inputTokens) }),
    ...within("inputTokenDetails", counted(input)),
    ...counted({ outputTokens: sum(({ outputTokens }) => outputTokens) }),
    ...within("outputTokenDetails", counted(output)),
  };
}

/** What of a report can be counted: whole or not, but finite and not negative. Undefined when nothing can. */
export function knownUsage(usage: Usage | undefined): Usage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const { inputTokens, inputTokenDetails, outputTokens, outputTokenDetails, ...others } = usage;
  const isClean =
    [inputTokens, outputTokens].every((count) => count === undefined || isCount(count)) &&
    [inputTokenDetails, outputTokenDetails].every(areCounts) &&
    Object.keys(others).length === 0 &&
    Object.keys(usage).length > 0;
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

/** Counts side by side, or nothing at all. */
function areCounts(details: unknown): boolean {
  if (details === undefined) return true;
  const counts = typeof details === "object" && details !== null ? Object.values(details) : [];
  return counts.length > 0 && counts.every(isCount);
}

const counted = (counts: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => isCount(count)));

const within = (name: string, counts: object) => (Object.keys(counts).length > 0 ? { [name]: counts } : {});
