// Turns a price of @pydantic/genai-prices into one of ours. Invariant: a price that ours cannot say in full is no price.
import type { ModelPrice as ListedPrice, ModelInfo } from "@pydantic/genai-prices";
import type { ModelPrice, TokenRates } from "../../core/price.ts";
import { dearestRates } from "./cost.ts";

/** What belongs to other things than text that a model reads and writes, and cache writes that live longer than is usual. */
const ignored = /audio|image|video|pages|searches|^cache_write_1h_mtok$/;

const known = ["input_mtok", "cache_read_mtok", "cache_write_mtok", "output_mtok", "output_reasoning_mtok", "requests_kcount"] as const;

/** What text costs with this model at the moment `now`, epoch ms, and since when; undefined when that cannot be said. */
export function priceOf({ prices }: ModelInfo, now: number): { readonly price: ModelPrice; readonly date?: string } | undefined {
  if (!Array.isArray(prices)) {
    const price = converted(prices);
    return price && { price };
  }
  const inForce = prices.findLastIndex(({ constraint }) => !constraint || isFrom(constraint, now));
  const standing = prices[inForce];
  // Hours of the day count where they stand behind what else is in force.
  const hourly = prices.slice(inForce + 1).filter(({ constraint }) => constraint && "start_time" in constraint);
  const price = standing && dearest([standing, ...hourly].map((one) => converted(one.prices)));
  if (!price) return undefined;
  const { constraint } = standing;
  return { price, ...(constraint && "start_date" in constraint ? { date: constraint.start_date } : {}) };
}

const isFrom = (constraint: { start_date: string } | { start_time: string }, now: number): boolean =>
  "start_date" in constraint && Date.parse(constraint.start_date) <= now;

/** When it is cheaper at some hours, the others count: nobody knows when an answer will be done. */
function dearest(prices: readonly (ModelPrice | undefined)[]): ModelPrice | undefined {
  const all = prices.filter((price) => price !== undefined);
  if (all.length < prices.length) return undefined;
  if (all.length < 2) return all[0];
  // Tiers that may begin at different counts cannot be laid over each other.
  if (all.some(({ tiers }) => tiers)) return undefined;
  const perRequest = Math.max(...all.map((price) => price.perRequest ?? 0));
  return { ...dearestRates(all), ...(perRequest > 0 ? { perRequest } : {}) };
}

function converted(listed: ListedPrice): ModelPrice | undefined {
  const used = Object.keys(listed).filter((key) => listed[key] !== undefined && !ignored.test(key));
  if (!used.every((key) => known.some((name) => name === key))) return undefined;
  const perThousand = listed["requests_kcount"] ?? 0;
  const rates = ratesAt(listed, 0);
  if (!rates || typeof perThousand !== "number") return undefined;
  const starts = new Set(
    Object.values(listed).flatMap((value) => (typeof value === "object" ? value.tiers.map(({ start }) => start) : [])),
  );
  const tiers = [...starts].toSorted((one, other) => one - other).map((above) => ({ above, rates: ratesAt(listed, above + 1) }));
  if (tiers.some((tier) => tier.rates === undefined)) return undefined;
  return {
    ...rates,
    ...(perThousand > 0 ? { perRequest: perThousand / 1000 } : {}),
    ...(tiers.length > 0 ? { tiers: tiers.flatMap(({ above, rates: inTier }) => (inTier ? [{ above, ...inTier }] : [])) } : {}),
  };
}

/** What holds for requests with so many input tokens; a tier holds for all tokens of a request with more input than its start. */
function ratesAt(listed: ListedPrice, inputTokens: number): TokenRates | undefined {
  const [input, cacheRead, cacheWrite, output, reasoning] = known.map((key) => rateAt(listed[key], inputTokens));
  if (input === undefined || output === undefined) return undefined;
  return {
    input,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
    output,
    ...(reasoning === undefined ? {} : { reasoning }),
  };
}

function rateAt(listed: ListedPrice[string], inputTokens: number): number | undefined {
  if (typeof listed !== "object") return listed;
  const reached = listed.tiers.filter(({ start }) => inputTokens > start).toSorted((one, other) => one.start - other.start);
  return reached.at(-1)?.price ?? listed.base;
}
