// The models an agent may ask, with all that each of them is asked under: compiled and checked once, so that a turn only looks it up.
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Model, ModelOffer, ModelSettings } from "../core/model.ts";
import { checkModel, isFallback, isRoute, type ModelChoice, type ModelFallback, type ModelRoute } from "../core/model-choice.ts";
import type { ModelPrice } from "../core/price.ts";
import { printOf } from "../core/print.ts";
import type { Terms } from "../core/step.ts";
import { createInputFactor, type InputFactor } from "../policy/budgets/input-factor.ts";

/** What every call of one model has in common; recorded once in a run, and by its print afterwards. */
export interface Offer extends ModelOffer {
  readonly print: string;
}

/** A concrete model. Every call of it is a step of its own. */
export interface Candidate {
  readonly model: Model;
  readonly offer: Offer;
  readonly terms: Terms;
  /** With the time-outs that only a stream can have. */
  readonly streamedTerms: Terms;
  /** Undefined when nobody knows one. */
  readonly price: ModelPrice | undefined;
  readonly factor: InputFactor;
}

/** Candidates in the order in which they are asked, by tier; without a route there is one tier, and nothing to choose. */
export interface Candidates {
  readonly tiers: ReadonlyMap<string, readonly [Candidate, ...Candidate[]]>;
  readonly route: ModelRoute | undefined;
  /** Asked in place of a tier when a budget is nearly used up. */
  readonly cheaper: readonly [Candidate, ...Candidate[]] | undefined;
  /** Asked for the answer a run is wrapped up with; makes no calls. Undefined when none is asked for. */
  readonly wrapUp: Candidate | undefined;
  /** Every offer there is, each once. */
  readonly offers: readonly Offer[];
}

/** What budgets ask of models, besides those that answer. */
export interface BudgetModels {
  readonly cheaper: Model | undefined;
  /** How long an answer may be that a run is wrapped up with; undefined = there is none. */
  readonly wrapUpTokens: number | undefined;
  readonly priceOf: (model: Model) => ModelPrice | undefined;
}

export interface ModelTerms extends Terms {
  /** Until the first token of a stream; 0 = no limit. */
  readonly firstTokenMs: number;
  /** Between two tokens of a stream; 0 = no limit. */
  readonly idleMs: number;
}

/** The one tier of an agent without a route. */
export const onlyTier = "";

/** Throws `configuration_invalid` for what is no model, and for what one of them cannot take. */
export function compileCandidates(choice: ModelChoice, offer: ModelOffer, terms: ModelTerms, budget: BudgetModels): Candidates {
  const compile = createCompiler(terms, budget.priceOf);
  const tiers = isRoute(choice) ? Object.entries(choice.tiers) : [[onlyTier, choice] as const];
  const byTier = new Map(tiers.map(([tier, models]) => [tier, compile(models, offer)]));
  const cheaper = budget.cheaper && compile(budget.cheaper, offer);
  const [[first] = [undefined]] = cheaper ? [cheaper] : [...byTier.values()];
  const wrapUp = first && budget.wrapUpTokens !== undefined ? wrapUpWith(first, budget.wrapUpTokens) : undefined;
  const all = [...byTier.values(), cheaper ?? [], wrapUp ? [wrapUp] : []].flat();
  const offers = new Map(all.map((candidate) => [candidate.offer.print, candidate.offer]));
  return { tiers: byTier, route: isRoute(choice) ? choice : undefined, cheaper, wrapUp, offers: [...offers.values()] };
}

/**
 * The tools stay, for the conversation speaks of them; none may be called. The answer is for people, whatever shape answers have. Undefined
 * for a model that cannot be asked so: nobody has asked for it in words, so it is no mistake.
 */
function wrapUpWith(candidate: Candidate, tokens: number): Candidate | undefined {
  const { model, offer } = candidate;
  const maxOutputTokens = (model.minOutputTokens ?? 0) + tokens;
  const own = frozenOffer(offer.tools, {
    ...offer.settings,
    maxOutputTokens,
    ...(offer.tools.length > 0 ? { toolChoice: "none" } : {}),
  });
  try {
    checkOffer(model, own);
    return { ...candidate, offer: own };
  } catch {
    return undefined;
  }
}

function createCompiler(terms: ModelTerms, priceOf: BudgetModels["priceOf"]) {
  const breakers = new Map<Model, string>();
  const factors = new Map<Model, InputFactor>();
  const factorOf = (model: Model) => {
    const factor = factors.get(model) ?? createInputFactor(model.provider);
    factors.set(model, factor);
    return factor;
  };
  const compileOne = (model: Model, offer: ModelOffer, hasNext: boolean): Candidate => {
    checkModel(model, "createAgent");
    const own = offerTo(model, offer);
    checkOffer(model, own);
    const { firstTokenMs, idleMs, ...plain } = { ...terms, breaker: breakerOf(model, breakers) };
    // Nobody waits long for one model while there is another to ask.
    const whole = hasNext && plain.maxMs !== undefined ? { ...plain, longestWaitMs: plain.maxMs } : plain;
    const streamedTerms = { ...whole, firstTokenMs, idleMs };
    return { model, offer: own, terms: whole, streamedTerms, price: priceOf(model), factor: factorOf(model) };
  };
  return (choice: Model | ModelFallback | ModelRoute, offer: ModelOffer): readonly [Candidate, ...Candidate[]] => {
    if (isRoute(choice)) throw new AgentError("configuration_invalid", "A tier of route() cannot be a route itself.");
    const [first, ...rest] = isFallback(choice) ? choice.models : [choice];
    if (!first) throw new AgentError("configuration_invalid", "A fallback needs at least one model.");
    const last = rest.length;
    return [compileOne(first, offer, last > 0), ...rest.map((model, position) => compileOne(model, offer, position + 1 < last))];
  };
}

/** Two adapters of one model (two regions, two accounts) fail each for itself. */
function breakerOf(model: Model, breakers: Map<Model, string>): string {
  const known = breakers.get(model);
  if (known !== undefined) return known;
  const name = `model ${model.provider}/${model.id}`;
  const taken = [...breakers.values()].filter((other) => other === name || other.startsWith(`${name} #`)).length;
  const breaker = taken === 0 ? name : `${name} #${taken + 1}`;
  breakers.set(model, breaker);
  return breaker;
}

const offerTo = (model: Model, { tools, settings, output }: ModelOffer): Offer =>
  frozenOffer(tools, { ...settings, ...model.settings }, output);

const frozenOffer = (tools: Offer["tools"], settings: ModelSettings, output?: Offer["output"]): Offer =>
  Object.freeze({
    print: printOf(JSON.stringify([tools, settings, output])),
    tools,
    settings: Object.freeze(settings),
    ...(output ? { output } : {}),
  });

function checkOffer(model: Model, { tools, settings, output }: Offer) {
  try {
    model.check?.({ tools, settings, ...(output ? { output } : {}) });
  } catch (thrown) {
    throw toAgentError(thrown, "configuration_invalid", `The check of ${model.provider}/${model.id} threw.`);
  }
}
