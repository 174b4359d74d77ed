// What a model call cost, and the most one can cost: pure sums over a price. Invariant: counted in whole numbers and rounded up once, so that
// no binary fraction adds a nano-dollar or loses one.
import { type ModelPrice, type NanoUsd, nanoOf, type TokenRates } from "../../core/price.ts";

/** Tokens of one model call with nothing left out: input includes what was cached, output includes reasoning. */
export interface FullUsage {
  readonly inputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
}

/**
 * The most a request can cost: `base` for itself and its input, whole nano-dollars, and `perOutputToken` nano-dollars for each token of the
 * answer, not rounded. `base + Math.ceil(outputTokens * perOutputToken)` is never less than what `costOf` makes of it.
 */
export interface WorstCase {
  readonly base: NanoUsd;
  readonly perOutputToken: number;
}

const perMillion = 1_000_000n;

/** What a model call cost. Of a report that contradicts itself everything it names is charged: cached tokens beyond the input, say. */
export function costOf(price: ModelPrice, usage: FullUsage): NanoUsd {
  const [read, write] = [tokens(usage.cacheReadTokens), tokens(usage.cacheWriteTokens)];
  const reasoning = tokens(usage.reasoningTokens);
  const input = most(tokens(usage.inputTokens), read + write);
  const output = most(tokens(usage.outputTokens), reasoning);
  const rates = ratesFor(price, input);
  const sum =
    (input - read - write) * unit(rates.input) +
    read * unit(rates.cacheRead ?? rates.input) +
    write * unit(rates.cacheWrite ?? rates.input) +
    (output - reasoning) * unit(rates.output) +
    reasoning * unit(rates.reasoning ?? rates.output);
  return inNano(sum, price);
}

/**
 * The most a request of at most so many input tokens can cost, however they are split. Fewer tokens may fall under other rates, and nothing
 * says that those are lower: every tier that can be reached is looked at.
 */
export function worstCase(price: ModelPrice, inputTokens: number): WorstCase {
  const input = tokens(inputTokens);
  const reached = bandsOf(price).filter(({ above }) => above === undefined || input > BigInt(Math.floor(above)));
  const inputs = reached.map(({ rates, upTo }) => {
    const { input: fresh, cacheRead = fresh, cacheWrite = fresh } = rates;
    const held = upTo === undefined ? input : least(input, BigInt(Math.floor(upTo)));
    return held * unit(Math.max(fresh, cacheRead, cacheWrite));
  });
  const perOutput = reached.map(({ rates }) => unit(Math.max(rates.output, rates.reasoning ?? 0)));
  return {
    base: inNano(inputs.reduce(most), price),
    perOutputToken: perToken(perOutput.reduce(most)),
  };
}

/** Exact where it can be; else a hair more than the exact rate, so that no multiple of it falls short of the exact one. */
function perToken(perMillionTokens: bigint): number {
  const rate = Number(perMillionTokens) / Number(perMillion);
  return perMillionTokens % perMillion === 0n ? rate : rate * (1 + 4 * Number.EPSILON);
}

/** Rates none of which is lower than that of any of these. */
export const dearestRates = (all: readonly TokenRates[]): TokenRates => {
  const highest = (rateIn: (rates: TokenRates) => number) => Math.max(...all.map(rateIn));
  return {
    input: highest(({ input }) => input),
    cacheRead: highest(({ input, cacheRead = input }) => cacheRead),
    cacheWrite: highest(({ input, cacheWrite = input }) => cacheWrite),
    output: highest(({ output }) => output),
    reasoning: highest(({ output, reasoning = output }) => reasoning),
  };
};

/** The rates for requests with more input than `above`, up to and including `upTo`. */
interface Band {
  readonly rates: TokenRates;
  readonly above?: number;
  readonly upTo?: number;
}

function bandsOf(price: ModelPrice): readonly Band[] {
  const tiers = (price.tiers ?? []).toSorted((one, other) => one.above - other.above);
  const bands = [{ rates: price }, ...tiers.map((tier) => ({ rates: tier, above: tier.above }))];
  return bands.map((band, position) => {
    const next = tiers[position];
    return next ? { ...band, upTo: next.above } : band;
  });
}

function ratesFor(price: ModelPrice, input: bigint): TokenRates {
  const applying = (price.tiers ?? []).filter(({ above }) => input > BigInt(Math.floor(above)));
  return (
    applying.reduce<(TokenRates & { above?: number }) | undefined>(
      (highest, tier) => (highest?.above !== undefined && highest.above > tier.above ? highest : tier),
      undefined,
    ) ?? price
  );
}

/** Nano-dollars for a million tokens. */
const unit = (rate: number): bigint => BigInt(nanoOf(rate));

/** What is no count is none; part of a token is charged as one. */
const tokens = (count: number): bigint => {
  if (!(count > 0)) return 0n;
  return BigInt(Math.ceil(Math.min(count, Number.MAX_SAFE_INTEGER)));
};

const inNano = (sum: bigint, { perRequest = 0 }: ModelPrice): NanoUsd => Number((sum + perMillion - 1n) / perMillion) + nanoOf(perRequest);

const most = (one: bigint, other: bigint): bigint => (one > other ? one : other);
const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);
