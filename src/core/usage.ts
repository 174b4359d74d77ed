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
  const { inputTokens, inputTokenDetails, outputTokens, outputTokenDetails } = usage;
  const known = {
    ...counted({ inputTokens, outputTokens }),
    ...within("inputTokenDetails", counted({ ...inputTokenDetails })),
    ...within("outputTokenDetails", counted({ ...outputTokenDetails })),
  };
  return Object.keys(known).length > 0 ? known : undefined;
}

const counted = (counts: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => typeof count === "number" && Number.isFinite(count) && count >= 0));

const within = (name: string, counts: object) => (Object.keys(counts).length > 0 ? { [name]: counts } : {});
