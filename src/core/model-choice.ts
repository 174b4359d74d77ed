// Several models in place of one, as plain values: what to ask when a model fails, and which model to ask for what. Who acts on them is the line.
import { AgentError } from "./errors.ts";
import type { RunFacts } from "./facts.ts";
import { isObject } from "./json.ts";
import type { Message } from "./message.ts";
import type { Model } from "./model.ts";
import { isFunction, isText, objectWith } from "./options.ts";

/** Models in the order in which they are asked; the next one only when the one before it cannot answer. */
export interface ModelFallback {
  readonly kind: "fallback";
  readonly models: readonly Model[];
}

/** What a choice between tiers may look at. */
export interface RouteQuestion {
  readonly run: RunFacts;
  /** 1 for the first. */
  readonly turn: number;
  /** What the model is about to read, instructions first. */
  readonly messages: readonly Message[];
}

/** Models by the name of their tier, and who says which tier a turn takes. */
export interface ModelRoute<Tier extends string = string> {
  readonly kind: "route";
  readonly tiers: Readonly<Record<Tier, Model | ModelFallback>>;
  choose(question: RouteQuestion): NoInfer<Tier> | Promise<NoInfer<Tier>>;
}

/** What an agent may be given as its model. */
export type ModelChoice = Model | ModelFallback | ModelRoute;

/**
 * Asks the first model; when it fails after its attempts, the next. Any failure of a model falls back (down, slow, limited, out of credit,
 * rejecting the request); a refusal of its provider to answer, a cancel and the end of the run's time do not. Throws `configuration_invalid`
 * for an empty list and for what is no model.
 */
export function fallback(models: readonly (Model | ModelFallback)[]): ModelFallback {
  if (!Array.isArray(models) || models.length === 0) throw wrong("fallback() needs a list of models, the first choice first");
  const flat = models.flatMap((model) => (isFallback(model) ? model.models : [model]));
  for (const model of flat) checkModel(model, "fallback()");
  return Object.freeze({ kind: "fallback", models: Object.freeze(flat) });
}

/**
 * Asks `choose` before every turn which tier it takes. The choice is recorded, so that a resume or replay takes the same one. A `choose`
 * that throws, or answers no tier, fails the run. Throws `configuration_invalid` for a tier that is no model.
 */
export function route<Tier extends string>(options: Omit<ModelRoute<Tier>, "kind">): ModelRoute<Tier> {
  if (!isObject(options) || !isObject(options.tiers) || !isFunction(options.choose)) throw wrong("route() needs `tiers` and `choose`");
  const { tiers, choose } = options;
  const named: readonly [string, unknown][] = Object.entries(tiers);
  if (named.length === 0) throw wrong("route() needs at least one tier");
  for (const [tier, model] of named) if (!isFallback(model)) checkModel(model, `The tier "${tier}" of route()`);
  return Object.freeze({ kind: "route", tiers: Object.freeze({ ...tiers }), choose });
}

export const isFallback = (value: unknown): value is ModelFallback =>
  isObject(value) && value["kind"] === "fallback" && Array.isArray(value["models"]);

export const isRoute = (value: unknown): value is ModelRoute => isObject(value) && value["kind"] === "route" && isObject(value["tiers"]);

/** Throws `configuration_invalid`. A model may be an instance of a class; what its adapter has besides is its own. */
export function checkModel(model: unknown, where: string): asserts model is Model {
  if (!objectWith("call")(model)) throw wrong(`${where} needs a model that can be called, e.g. openai(...) of airworthy/openai`);
  const { id, provider }: { id?: unknown; provider?: unknown } = Object(model);
  if (!isText(id) || !isText(provider)) throw wrong(`${where} needs a model with an id and a provider: both are in every journal and span`);
}

const wrong = (what: string) => new AgentError("configuration_invalid", `${what}.`);
