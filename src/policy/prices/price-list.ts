// Looks up what a model costs: in the prices users give, then in our own table, then in a library. Invariant: a price is found for exactly
// the model and provider asked for, or not at all; nothing is guessed from a similar name.
import type { Model } from "../../core/model.ts";
import type { KnownPrice, ModelPrice, TokenRates } from "../../core/price.ts";
import type { OwnPrices } from "./check-prices.ts";
import { listedModel } from "./genai-prices.ts";
import { priceOf } from "./listed-price.ts";
import { ownPrices } from "./own-prices.ts";

/** A model as its adapter names it. */
export interface ModelName {
  /** Well-known provider name of the GenAI conventions, e.g. `openai`. */
  readonly provider: string;
  readonly id: string;
}

/** What a lookup goes by: prices that have been checked, and the moment the price is to hold at, epoch ms. */
export interface PriceSources {
  readonly prices: OwnPrices | undefined;
  readonly now: number;
}

/** Those who make the models they sell: an id that only one of them has needs no provider beside it. */
const firstParties = ["anthropic", "cohere", "deepseek", "gcp.gemini", "mistral_ai", "moonshot_ai", "openai", "perplexity", "x_ai"];

/** The provider of a price that was asked for and given without one. */
const anyProvider = "any";

export function findPrice({ provider, id }: ModelName, { prices, now }: PriceSources): KnownPrice | undefined {
  const ids = [id, ...undated(id)];
  for (const find of [ownPrice, tablePrice, libraryPrice]) {
    for (const one of ids) {
      const found = find(provider, one, { prices, now });
      if (found) return { ...found, provider, model: id };
    }
  }
  return undefined;
}

/** What calls of a model cost, with what the model itself says of its caches. */
export function priceFor(model: Pick<Model, "provider" | "id" | "cacheWriteMultiple">, sources: PriceSources): KnownPrice | undefined {
  const price = findPrice(model, sources);
  const { cacheWriteMultiple: times = 1 } = model;
  if (!price || times === 1) return price;
  const dearer = <Rates extends TokenRates>(rates: Rates): Rates => ({ ...rates, cacheWrite: (rates.cacheWrite ?? rates.input) * times });
  return { ...dearer(price), ...(price.tiers ? { tiers: price.tiers.map(dearer) } : {}) };
}

/** As `findPrice`, for `provider/id`, or an id alone where it leaves no doubt whose it is. */
export function findPriceByName(name: string, sources: PriceSources): KnownPrice | undefined {
  const slash = name.indexOf("/");
  if (slash < 0) return findPriceById(name, sources);
  return findPrice({ provider: name.slice(0, slash), id: name.slice(slash + 1) }, sources);
}

function findPriceById(id: string, sources: PriceSources): KnownPrice | undefined {
  const ids = [id, ...undated(id)];
  const bare = ids.map((one) => givenFor(one, sources.prices)).find((price) => price !== undefined);
  if (bare) return { ...bare, source: "options", provider: anyProvider, model: id };
  const named = Object.keys(sources.prices ?? {}).flatMap((key) =>
    ids.filter((one) => key.endsWith(`/${one}`)).map((one) => key.slice(0, -one.length - 1)),
  );
  const found = [...new Set([...named, ...firstParties])].flatMap((provider) => findPrice({ provider, id }, sources) ?? []);
  return found.length === 1 ? found[0] : undefined;
}

type Found = Omit<KnownPrice, "provider" | "model">;

function ownPrice(provider: string, id: string, { prices }: PriceSources): Found | undefined {
  const price = givenFor(`${provider}/${id}`, prices) ?? givenFor(id, prices);
  return price && { ...price, source: "options" };
}

const givenFor = (key: string, prices: OwnPrices | undefined): ModelPrice | undefined =>
  prices && Object.hasOwn(prices, key) ? prices[key] : undefined;

function tablePrice(provider: string, id: string): Found | undefined {
  const key = `${provider}/${id}`;
  const entry = Object.hasOwn(ownPrices, key) ? ownPrices[key] : undefined;
  return entry && { ...entry.price, source: entry.source, date: entry.date, contextWindow: entry.contextWindow };
}

function libraryPrice(provider: string, id: string, { now }: PriceSources): Found | undefined {
  const listed = listedModel(provider, id);
  const found = listed && priceOf(listed.model, now);
  if (!found) return undefined;
  const { context_window: contextWindow } = listed.model;
  return {
    ...found.price,
    source: listed.source,
    ...(found.date === undefined ? {} : { date: found.date }),
    ...(contextWindow === undefined ? {} : { contextWindow }),
  };
}

/** The model an id with a date at its end is a snapshot of. Providers charge both the same; one that costs otherwise is listed by its own id. */
const undated = (id: string): readonly string[] => {
  const base = /^(.+)-20\d\d(-?)(?:0[1-9]|1[0-2])\2(?:0[1-9]|[12]\d|3[01])$/.exec(id)?.[1];
  return base === undefined ? [] : [base];
};
