// A view: what a run used together with the runs that are parts of it. Each run counts once, by the latest word there is of it.
import type { ChildUsage, RunUsage, Spent } from "../../core/result.ts";
import { sumOfUsage } from "../../core/usage.ts";

/** `own`: what the run of this agent used itself. */
export function withChildren(agent: string, own: Spent, children: Iterable<ChildUsage>): RunUsage {
  let whole = own;
  const byAgent = new Map<string, Spent>([[agent, own]]);
  for (const child of children) {
    const { own: itself, byAgent: parts, ...all } = child.usage;
    whole = sum(whole, all);
    for (const [name, spent] of parts ? Object.entries(parts) : [[child.agent, itself ?? all] as const]) {
      const before = byAgent.get(name);
      byAgent.set(name, before ? sum(before, spent) : spent);
    }
  }
  return { ...whole, own, byAgent: Object.fromEntries(byAgent) };
}

function sum(one: Spent, other: Spent): Spent {
  const [total, more] = [one.totalTokens, other.totalTokens];
  return {
    ...sumOfUsage([one, other]),
    ...(total === undefined && more === undefined ? {} : { totalTokens: (total ?? 0) + (more ?? 0) }),
    modelCalls: one.modelCalls + other.modelCalls,
    toolCalls: one.toolCalls + other.toolCalls,
    unreported: one.unreported + other.unreported,
  };
}
