// Checks the prices users give: a price that cannot be right is an error that names the model, before anything is reckoned with it.
import { AgentError, type ErrorCode } from "../../core/errors.ts";
import { type Check, type Checks, checkOptions, isCount, isList, isNumber } from "../../core/options.ts";
import type { ModelPrice } from "../../core/price.ts";

/** Prices of one's own, by model id or, to say which of several providers is meant, by `provider/model id`. */
export type OwnPrices = Readonly<Record<string, ModelPrice>>;

/** A dollar for every token: what is higher was meant for another unit. */
const highestRate = 1_000_000;

const isRate: Check = (value) => isNumber(value) && Number(value) >= 0 && Number(value) <= highestRate;

const rate = { holds: isRate, wanted: "US dollars per million tokens, from 0 to 1,000,000" };
const rates: Checks = { input: rate, cacheRead: rate, cacheWrite: rate, output: rate, reasoning: rate };
const perRequest = { holds: isRate, wanted: "US dollars for a request, from 0 to 1,000,000" };
const above = { holds: isCount, wanted: "a whole number of tokens" };

/** Throws `errorCode` for prices that are not as they have to be; with none given there is nothing to check. */
export function checkPrices(errorCode: ErrorCode, prices: unknown): asserts prices is OwnPrices | undefined {
  if (prices === undefined) return;
  if (typeof prices !== "object" || prices === null || Array.isArray(prices) || prices instanceof Map)
    throw new AgentError(errorCode, "prices has to be an object with a price for each model id.");
  for (const [key, price] of Object.entries(prices)) {
    checkKey(errorCode, key);
    checkPrice(errorCode, `prices["${key}"]`, price);
  }
}

function checkKey(errorCode: ErrorCode, key: string): void {
  if (/^[^\s/]+(\/[^\s/]+)*$/.test(key)) return;
  throw new AgentError(errorCode, `prices cannot use the key "${key}"; it has to be a model id, or a provider, a slash and a model id.`);
}

function checkPrice(errorCode: ErrorCode, where: string, price: unknown): void {
  checkOptions(errorCode, where, price, { ...rates, perRequest, tiers: { holds: isList, wanted: "a list" } });
  requireFields(errorCode, where, price, ["input", "output"]);
  const tiers: unknown = typeof price === "object" && price !== null && "tiers" in price ? price.tiers : undefined;
  if (!Array.isArray(tiers)) return;
  for (const [position, tier] of tiers.entries()) {
    checkOptions(errorCode, `${where}.tiers[${position}]`, tier, { ...rates, above });
    requireFields(errorCode, `${where}.tiers[${position}]`, tier, ["above", "input", "output"]);
  }
  const starts = new Set(tiers.map((tier: { above: number }) => tier.above));
  if (starts.size < tiers.length) throw new AgentError(errorCode, `${where} has several tiers with the same "above".`);
}

function requireFields(errorCode: ErrorCode, where: string, given: unknown, names: readonly string[]): void {
  const missing = names.find((name) => typeof given !== "object" || given === null || Reflect.get(given, name) === undefined);
  if (missing !== undefined) throw new AgentError(errorCode, `${where} has to say "${missing}".`);
}
