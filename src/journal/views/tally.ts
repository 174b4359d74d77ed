// A view: what a run has used and how long it took, added up entry by entry, so that no step pays for the steps before it.
import type { AttemptStarted, Entry, StepAbandoned, StepDone } from "../../core/journal.ts";
import type { ChildUsage, RunCost, RunUsage, Spent, Timings } from "../../core/result.ts";
import type { Usage } from "../../core/usage.ts";
import { createCostTally } from "./cost.ts";
import { withChildren } from "./tree-usage.ts";

export interface Tally {
  add(entry: Entry): void;
  usage(): RunUsage;
  cost(): RunCost;
  timings(): Timings;
  /** An attempt of anything has begun. */
  readonly begun: boolean;
}

type Counted = "inputTokens" | "cacheReadTokens" | "cacheWriteTokens" | "outputTokens" | "reasoningTokens";
type Tokens = { -readonly [Name in Counted]?: number };

/** Time counts from start or resume to the next stop or end; waiting in between, or lying dead after a crash, does not. */
export function createTally(): Tally {
  const tokens = createTokens();
  const calls = { model: 0, tool: 0, custom: 0 };
  const spent = { model: 0, tool: 0, custom: 0 };
  const startedAt = new Map<string, number>();
  const counted = new Set<string>();
  const children = new Map<string, ChildUsage>();
  const costs = createCostTally();
  let agent = "";
  let begun = false;
  let unreported = 0;
  let total = 0;
  let last: number | undefined;

  const passTime = ({ type, at }: Entry) => {
    if (type === "run.resumed") startedAt.clear();
    if (last !== undefined && type !== "run.resumed") total += Math.max(0, at - last);
    last = type === "run.stopped" || type === "run.ended" ? undefined : at;
  };
  const start = ({ key, kind, at }: AttemptStarted) => {
    if (!startedAt.has(key)) startedAt.set(key, at);
    // Until it has said otherwise, nobody knows what an attempt used.
    if (kind === "model") unreported += 1;
    begun = true;
  };
  const finish = ({ key, kind, at, type, attempts }: StepDone | StepAbandoned) => {
    if (attempts === 0) return;
    if (!counted.delete(key)) calls[kind] += 1;
    if (type === "step.abandoned") counted.add(key);
    spent[kind] += Math.max(0, at - (startedAt.get(key) ?? at));
    startedAt.delete(key);
  };
  const own = (): Spent => ({ ...tokens.counted(), modelCalls: calls.model, toolCalls: calls.tool, unreported });

  return {
    add(entry) {
      if (entry.type === "note") return;
      if (entry.type === "run.started") agent = entry.agent;
      passTime(entry);
      costs.add(entry);
      if (entry.type === "attempt.started") start(entry);
      if (entry.type === "step.done" || entry.type === "step.abandoned") finish(entry);
      if (isAnsweredWithoutTrying(entry)) return;
      if ("usage" in entry && entry.usage) {
        unreported -= 1;
        tokens.add(entry.usage);
      }
      // It says what the child has used in all so far, so the latest word is the whole of it.
      if ("child" in entry && entry.child) children.set(entry.key, entry.child);
    },
    usage: () => (children.size === 0 ? own() : withChildren(agent, own(), children.values())),
    cost: () => costs.cost(),
    get begun() {
      return begun;
    },
    timings: () => ({ totalMs: total, modelMs: spent.model, toolMs: spent.tool }),
  };
}

function createTokens() {
  const tokens: Tokens = {};
  return {
    add: ({ inputTokens, inputTokenDetails, outputTokens, outputTokenDetails }: Usage) => {
      addTo(tokens, "inputTokens", inputTokens);
      addTo(tokens, "cacheReadTokens", inputTokenDetails?.cacheReadTokens);
      addTo(tokens, "cacheWriteTokens", inputTokenDetails?.cacheWriteTokens);
      addTo(tokens, "outputTokens", outputTokens);
      addTo(tokens, "reasoningTokens", outputTokenDetails?.reasoningTokens);
    },
    counted: (): Usage & { readonly totalTokens?: number } => {
      const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens } = tokens;
      const isKnown = inputTokens !== undefined || outputTokens !== undefined;
      return {
        ...(inputTokens === undefined ? {} : { inputTokens }),
        ...detailsOf("inputTokenDetails", { cacheReadTokens, cacheWriteTokens }),
        ...(outputTokens === undefined ? {} : { outputTokens }),
        ...detailsOf("outputTokenDetails", { reasoningTokens }),
        ...(isKnown ? { totalTokens: (inputTokens ?? 0) + (outputTokens ?? 0) } : {}),
      };
    },
  };
}

function detailsOf(name: string, counts: Readonly<Record<string, number | undefined>>) {
  const known = Object.entries(counts).filter(([, count]) => count !== undefined);
  return known.length > 0 ? { [name]: Object.fromEntries(known) } : {};
}

/** Nothing was spent on it in this run, whatever it says. */
const isAnsweredWithoutTrying = (entry: Entry) => entry.type === "step.done" && entry.attempts === 0;

/** What a provider does not report stays absent. */
function addTo(tokens: Tokens, name: Counted, count: unknown) {
  if (typeof count === "number" && Number.isFinite(count)) tokens[name] = (tokens[name] ?? 0) + count;
}
