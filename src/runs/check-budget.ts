// Whether budgets and limits of effects can be kept at all: there is somewhere to add up, and a price for all that is counted in money.
import { AgentError, type ErrorCode } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import { usdOf } from "../core/price.ts";
import type { Store } from "../core/store.ts";
import type { Tool } from "../core/tool.ts";
import type { Candidate } from "../pipeline/candidates.ts";
import type { AgentParts } from "../pipeline/line.ts";
import type { AmountLimits } from "../policy/budgets/budget-options.ts";
import { worstCase } from "../policy/prices/cost.ts";

/** Throws `configuration_invalid`; warns of a price that no budget can afford. */
export function checkAgentBudgets(agent: AgentParts): void {
  const { budgets } = agent;
  if (agent.effects.any) checkCounters("configuration_invalid", agent, "limits.effects need");
  if (budgets.any) checkKept("configuration_invalid", agent, budgets.countsMoney);
  if (budgets.smallestUsd !== undefined) warnOfDearModels(agent, budgets.smallestUsd);
}

/** Throws `input_invalid` for a budget of a single run that cannot be kept, or a run that a budget or limit of the agent's cannot be told of. */
export function checkRunBudgets(agent: AgentParts, budget: AmountLimits | undefined, run?: RunFacts): void {
  if (budget) checkKept("input_invalid", agent, budget.usd !== undefined);
  if (run) checkCovered(agent, run);
}

/** Throws `input_invalid` for a run that a budget or limit of the agent's cannot be told of. */
export function checkCovered({ budgets, effects }: AgentParts, run: RunFacts): void {
  budgets.limitsOf(run, undefined);
  effects.limitsOf(run);
}

function checkCounters(code: ErrorCode, { store }: AgentParts, whatNeeds: string) {
  if (store.counters) return;
  throw new AgentError(code, `${whatNeeds} a store with counters, to add up for all processes; this store has none.`, {
    hint: "Use memoryStore(), sqlite() or postgres(), or give your store the `counters` port.",
  });
}

function checkKept(code: ErrorCode, agent: AgentParts, countsMoney: boolean) {
  checkCounters(code, agent, "A budget needs");
  checkOneStore(code, agent);
  if (!countsMoney) return;
  const [model] = unpricedModels(agent);
  if (model === undefined) return;
  throw new AgentError(code, `A budget in US dollars needs a price for every model, and nobody knows one of ${model}.`, {
    hint: `Say what it costs: prices: { "${model}": { input: 0.5, output: 2 } }, in US dollars per million tokens; 0 if it costs nothing.`,
    details: { model },
  });
}

/** What runs within spend is added up where the caps of the runs above are, or they would hold nobody. */
function checkOneStore(code: ErrorCode, agent: AgentParts) {
  if (storesWithin(agent).every((store) => store === agent.plainStore)) return;
  throw new AgentError(code, `The agent ${agent.name} has a budget, and one of its tools is an agent with a store of its own.`, {
    hint: "Give both the same store, or make the inner agent without one: its runs are then kept with those they are part of.",
  });
}

/** Of the agents that are tools, here and further down. */
export const storesWithin = ({ tools }: Pick<AgentParts, "tools">): readonly Store[] => {
  const within = ({ child, fallback }: Tool): readonly Store[] => [...(child?.stores ?? []), ...(fallback ? within(fallback) : [])];
  return [...tools.values()].flatMap(within);
};

/** Names of models nobody knows a price of, those of agents that are tools included; each once. */
export function unpricedModels({ models, tools }: Pick<AgentParts, "models" | "tools">): readonly string[] {
  const own = candidatesOf(models).flatMap(({ model, price }) => (price ? [] : [`${model.provider}/${model.id}`]));
  const within = [...tools.values()].flatMap(unpricedWithin);
  return [...new Set([...own, ...within])];
}

const unpricedWithin = ({ child, fallback }: Tool): readonly string[] => [
  ...(child?.unpriced ?? []),
  ...(fallback ? unpricedWithin(fallback) : []),
];

const candidatesOf = ({ tiers, cheaper, wrapUp }: AgentParts["models"]): readonly Candidate[] => [
  ...[...tiers.values()].flat(),
  ...(cheaper ?? []),
  ...(wrapUp ? [wrapUp] : []),
];

/** Nothing is wrong with it yet: answers are cut to what is affordable. But most likely the price or the budget is not what was meant. */
function warnOfDearModels({ name, models, budgets }: AgentParts, smallest: number) {
  for (const { model, price, offer } of candidatesOf(models)) {
    if (!price) continue;
    const { base, perOutputToken } = worstCase(price, 0);
    const most = base + (offer.settings.maxOutputTokens ?? budgets.terms.maxOutputTokens) * perOutputToken;
    if (most <= smallest) continue;
    const told = `One call of ${model.id} may cost $${usdOf(Math.ceil(most))}, which is more than the whole budget of $${usdOf(smallest)} of the agent ${name}.`;
    process.emitWarning(told, { code: "AIRWORTHY_BUDGET" });
    return;
  }
}
