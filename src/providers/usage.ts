// Usage as every adapter reports it. Invariant: what the provider did not report is not there.
import type { Usage } from "../core/usage.ts";

/** What a provider reported, in tokens. */
export interface ReportedCounts {
  /** All input, what the cache had a part in included. */
  readonly input: number | undefined;
  readonly cacheRead: number | undefined;
  readonly cacheWrite: number | undefined;
  /** All output, reasoning included. */
  readonly output: number | undefined;
  readonly reasoning: number | undefined;
}

/** Undefined when neither input nor output was reported. */
export function usageOf({ input, cacheRead, cacheWrite, output, reasoning }: ReportedCounts): Usage | undefined {
  if (input === undefined && output === undefined) return undefined;
  const inputDetails = {
    ...(cacheRead === undefined ? {} : { cacheReadTokens: cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWriteTokens: cacheWrite }),
  };
  return {
    ...(input === undefined ? {} : { inputTokens: input }),
    ...(cacheRead === undefined && cacheWrite === undefined ? {} : { inputTokenDetails: inputDetails }),
    ...(output === undefined ? {} : { outputTokens: output }),
    ...(reasoning === undefined ? {} : { outputTokenDetails: { reasoningTokens: reasoning } }),
  };
}
