// A view: what a run has used and how long it took, added up entry by entry, so that no step pays for the steps before it.
import type { Entry } from "../../core/journal.ts";
import { field, type Json } from "../../core/json.ts";
import type { RunUsage, Timings } from "../../core/result.ts";

export interface Tally {
  add(entry: Entry): void;
  usage(): RunUsage;
  timings(): Timings;
}

const counts = ["inputTokens", "cacheReadTokens", "cacheWriteTokens", "outputTokens", "reasoningTokens"] as const;
type Counts = { -readonly [Name in (typeof counts)[number]]?: number };

/** Time counts from start or resume to the next stop or end; waiting in between does not. */
export function createTally(): Tally {
  const tokens: Counts = {};
  const calls = { model: 0, tool: 0, custom: 0 };
  const spent = { model: 0, tool: 0, custom: 0 };
  const begunAt = new Map<string, number>();
  const givenUp = new Set<string>();
  let unreported = 0;
  let total = 0;
  let last: number | undefined;

  const spend = (at: number) => {
    if (last !== undefined) total += Math.max(0, at - last);
    last = at;
  };
  const addUsage = (value: Json) => {
    const reported = usageOf(value);
    if (!reported) unreported += 1;
    else for (const name of counts) if (reported[name] !== undefined) tokens[name] = (tokens[name] ?? 0) + reported[name];
  };

  return {
    add(entry) {
      if (entry.type === "note") return;
      if (entry.type === "run.started" || entry.type === "run.resumed") last = entry.at;
      spend(entry.at);
      if (entry.type === "run.stopped" || entry.type === "run.ended") last = undefined;
      if (entry.type === "step.began" && entry.attempt === 1) begunAt.set(entry.key, entry.at);
      if ((entry.type !== "step.done" && entry.type !== "step.failed") || entry.attempts === 0) return;
      if (!givenUp.delete(entry.key)) calls[entry.kind] += 1;
      if (entry.type === "step.failed") givenUp.add(entry.key);
      spent[entry.kind] += entry.at - (begunAt.get(entry.key) ?? entry.at);
      begunAt.delete(entry.key);
      if (entry.kind === "model") addUsage(entry.type === "step.done" && entry.outcome.ok ? entry.outcome.value : null);
    },
    usage: () => ({
      ...tokens,
      ...(tokens.inputTokens === undefined && tokens.outputTokens === undefined
        ? {}
        : { totalTokens: (tokens.inputTokens ?? 0) + (tokens.outputTokens ?? 0) }),
      modelCalls: calls.model,
      toolCalls: calls.tool,
      unreported,
    }),
    timings: () => ({ totalMs: total, modelMs: spent.model, toolMs: spent.tool }),
  };
}

// A recorded model response holds usage as the adapter reported it; anything else in its place counts as unreported.
function usageOf(value: Json): Counts | undefined {
  const usage = field(value, "usage");
  if (usage === undefined) return undefined;
  const found: Counts = {};
  put(found, "inputTokens", field(usage, "inputTokens"));
  put(found, "cacheReadTokens", field(field(usage, "inputTokenDetails"), "cacheReadTokens"));
  put(found, "cacheWriteTokens", field(field(usage, "inputTokenDetails"), "cacheWriteTokens"));
  put(found, "outputTokens", field(usage, "outputTokens"));
  put(found, "reasoningTokens", field(field(usage, "outputTokenDetails"), "reasoningTokens"));
  return Object.keys(found).length > 0 ? found : undefined;
}

function put(counted: Counts, name: keyof Counts, value: Json | undefined) {
  if (typeof value === "number" && Number.isFinite(value)) counted[name] = value;
}
