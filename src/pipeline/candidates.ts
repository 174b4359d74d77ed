// The models an agent may ask, with all that each of them is asked under: compiled and checked once, so that a turn only looks it up.
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Model, ModelOffer, ModelSettings } from "../core/model.ts";
import { checkModel, isFallback, isRoute, type ModelChoice, type ModelFallback, type ModelRoute } from "../core/model-choice.ts";
import { printOf } from "../core/print.ts";
import type { Terms } from "../core/step.ts";

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
}

/** Candidates in the order in which they are asked, by tier; without a route there is one tier, and nothing to choose. */
export interface Candidates {
  readonly tiers: ReadonlyMap<string, readonly [Candidate, ...Candidate[]]>;
  readonly route: ModelRoute | undefined;
  /** Every offer there is, each once. */
  readonly offers: readonly Offer[];
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
export function compileCandidates(choice: ModelChoice, offer: ModelOffer, terms: ModelTerms): Candidates {
  const compile = createCompiler(offer, terms);
  const tiers = isRoute(choice) ? Object.entries(choice.tiers) : [[onlyTier, choice] as const];
  const byTier = new Map(tiers.map(([tier, models]) => [tier, compile(models)]));
  const offers = new Map([...byTier.values()].flat().map((candidate) => [candidate.offer.print, candidate.offer]));
  return { tiers: byTier, route: isRoute(choice) ? choice : undefined, offers: [...offers.values()] };
}

function createCompiler(offer: ModelOffer, terms: ModelTerms) {
  const breakers = new Map<Model, string>();
  const compileOne = (model: Model, hasNext: boolean): Candidate => {
    checkModel(model, "createAgent");
    const own = offerTo(model, offer);
    checkOffer(model, own);
    const { firstTokenMs, idleMs, ...plain } = { ...terms, breaker: breakerOf(model, breakers) };
    // Nobody waits long for one model while there is another to ask.
    const whole = hasNext && plain.maxMs !== undefined ? { ...plain, longestWaitMs: plain.maxMs } : plain;
    return { model, offer: own, terms: whole, streamedTerms: { ...whole, firstTokenMs, idleMs } };
  };
  return (choice: Model | ModelFallback | ModelRoute): readonly [Candidate, ...Candidate[]] => {
    if (isRoute(choice)) throw new AgentError("configuration_invalid", "A tier of route() cannot be a route itself.");
    const [first, ...rest] = isFallback(choice) ? choice.models : [choice];
    if (!first) throw new AgentError("configuration_invalid", "A fallback needs at least one model.");
    const last = rest.length;
    return [compileOne(first, last > 0), ...rest.map((model, position) => compileOne(model, position + 1 < last))];
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

function offerTo(model: Model, { tools, settings, output }: ModelOffer): Offer {
  const own: ModelSettings = Object.freeze({ ...settings, ...model.settings });
  return Object.freeze({
    print: printOf(JSON.stringify([tools, own, output])),
    tools,
    settings: own,
    ...(output ? { output } : {}),
  });
}

function checkOffer(model: Model, { tools, settings, output }: Offer) {
  try {
    model.check?.({ tools, settings, ...(output ? { output } : {}) });
  } catch (thrown) {
    throw toAgentError(thrown, "configuration_invalid", `The check of ${model.provider}/${model.id} threw.`);
  }
}
