// What a model costs, for users who want to know: the same answer the runtime reckons with.
import { AgentError } from "../core/errors.ts";
import { anything, checkOptions, isNumber, isText } from "../core/options.ts";
import type { KnownPrice, ModelPrice } from "../core/price.ts";
import { checkPrices } from "../policy/prices/check-prices.ts";
import { findPrice, findPriceByName } from "../policy/prices/price-list.ts";
import { systemClock } from "../resilience/system-clock.ts";

export interface PriceOptions {
  /** Prices of your own, by model id or by `provider/model id`, which counts before the id alone. They win over all others. */
  readonly prices?: Readonly<Record<string, ModelPrice>>;
  /** The moment the price has to hold at, milliseconds since the epoch. Default: the present. */
  readonly now?: number;
}

/**
 * What a model costs, and who says so; undefined when that is not known for exactly this model and provider. A model can be given itself, by
 * name and provider, as `provider/id`, or as an id alone where only one of the makers of models has it.
 */
export function price(
  model: string | { readonly provider: string; readonly id: string },
  options: PriceOptions = {},
): KnownPrice | undefined {
  checkOptions("configuration_invalid", "price", options, { prices: anything, now: { holds: isNumber, wanted: "milliseconds" } });
  const { prices, now = systemClock.now() } = options;
  checkPrices("configuration_invalid", prices);
  const asked: unknown = model;
  if (isText(asked) && typeof model === "string") return findPriceByName(model, { prices, now });
  const isModel = typeof asked === "object" && asked !== null && isText(Reflect.get(asked, "provider")) && isText(Reflect.get(asked, "id"));
  if (!isModel || typeof model === "string")
    throw new AgentError("configuration_invalid", "price needs a model: its id, provider/id, or an object with provider and id.");
  return findPrice(model, { prices, now });
}
