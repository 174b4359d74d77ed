// What a model call costs: the most before each attempt, and what it came to after it. Invariant: what is not known counts as the most it can be.
import type { Charge } from "../../core/cost.ts";
import type { StepCost, WorstCase } from "../../core/ledger.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { ModelPrice } from "../../core/price.ts";
import type { Usage } from "../../core/usage.ts";
import { costOf, type FullUsage, worstCase } from "../prices/cost.ts";
import type { InputFactor } from "./input-factor.ts";

/** What is known of the usage of an attempt. */
export interface KnownUsage {
  readonly usage: Usage | undefined;
  /** The provider's last word; else what it said while it was still answering. */
  readonly isFinal: boolean;
  /** The model was asked at all. */
  readonly wasAsked: boolean;
}

export interface ModelCostParts {
  readonly price: ModelPrice | undefined;
  readonly factor: InputFactor;
  /** Tokens of the request as we count them; asked only when a budget covers it. */
  readonly count: () => number;
  readonly most: number;
  readonly least: number;
  readonly isWrapUp?: true;
  /** Of the attempt that has just ended. */
  readonly known: () => KnownUsage;
}

export function modelCost<T>(parts: ModelCostParts): StepCost<T> {
  const { price, factor } = parts;
  let counted = 0;
  const input = () => factor.atMost(counted);

  return {
    worst: (): WorstCase => {
      counted = parts.count();
      const inputTokens = input();
      const most = price && worstCase(price, inputTokens);
      return {
        ...(most ? { nanoUsd: Math.ceil(most.base) } : {}),
        tokens: inputTokens,
        output: { most: parts.most, least: Math.min(parts.least, parts.most), ...(most ? { nanoUsd: most.perOutputToken } : {}) },
        ...(parts.isWrapUp ? { isWrapUp: true } : {}),
      };
    },
    charge: (outcome, reserved) => {
      const { usage, isFinal, wasAsked } = parts.known();
      if (!isFinal && (!wasAsked || isFree(outcome))) return free(price);
      if (isFinal && counted > 0 && usage?.inputTokens !== undefined) factor.saw(counted, usage.inputTokens);
      // An answer that broke off has used its input, and nobody knows how much was said: all that was allowed.
      const counts = fullUsage(
        isFinal ? usage : withoutOutput(usage),
        reserved && { inputTokens: input(), outputTokens: reserved.maxOutputTokens },
      );
      return counts && chargeOf(price, counts, isFinal && isWhole(usage));
    },
  };
}

/** What was used, with what is not known at its most; undefined when there is nothing to go by. */
function fullUsage(
  usage: Usage = {},
  most: Pick<Usage, "inputTokens"> & { readonly outputTokens: number | undefined } = { outputTokens: undefined },
): FullUsage | undefined {
  const { inputTokens = most.inputTokens, outputTokens = most.outputTokens, inputTokenDetails = {}, outputTokenDetails = {} } = usage;
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const { cacheReadTokens = 0, cacheWriteTokens = 0 } = inputTokenDetails;
  const { reasoningTokens = 0 } = outputTokenDetails;
  return { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens };
}

const isWhole = (usage: Usage | undefined) => usage?.inputTokens !== undefined && usage.outputTokens !== undefined;

const chargeOf = (price: ModelPrice | undefined, used: FullUsage, isReported: boolean): Charge => ({
  ...(price ? { nanoUsd: costOf(price, used) } : {}),
  tokens: Math.ceil(used.inputTokens + used.outputTokens),
  basis: isReported ? "reported" : "reserved",
});

const free = (price: ModelPrice | undefined): Charge => ({ ...(price ? { nanoUsd: 0 } : {}), tokens: 0, basis: "reported" });

function withoutOutput(usage: Usage | undefined): Usage | undefined {
  if (!usage) return undefined;
  const { outputTokens: _, outputTokenDetails: __, ...input } = usage;
  return input;
}

/** What stands between gives up waiting, and the provider may answer, and charge, all the same: time-outs and bad gateways, Cloudflare's too. */
const saysNothingOfOrigin: ReadonlySet<number> = new Set([408, 502, 504, 520, 522, 524]);

/** Answered with an HTTP error of its own, or never reached: no provider charges for that. */
function isFree(outcome: Outcome<unknown>): boolean {
  if (outcome.status !== "failed") return false;
  const { status, inAnswer } = outcome.error.details;
  const isRefusal = typeof status === "number" && status >= 300 && inAnswer !== true && !saysNothingOfOrigin.has(status);
  return isRefusal || neverArrived(outcome.error);
}

const unreached = new Set("ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH UND_ERR_CONNECT_TIMEOUT".split(" "));

function neverArrived(thrown: unknown, depth = 0): boolean {
  if (typeof thrown !== "object" || thrown === null || depth > 5) return false;
  if ("code" in thrown && typeof thrown.code === "string" && unreached.has(thrown.code)) return true;
  return "cause" in thrown && neverArrived(thrown.cause, depth + 1);
}
