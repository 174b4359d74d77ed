// Money and what costs it. Invariant: amounts of money are whole nano-dollars, rounded up; only people see dollars.

/** A billionth of a US dollar; the largest that can be counted is about nine million dollars. */
export type NanoUsd = number;

const nanoPerUsd = 1_000_000_000;

/** Rounded up, but not for what binary fractions add to a decimal number: 0.07 is 70,000,000 and no more. */
export const nanoOf = (usd: number): NanoUsd => Math.ceil(Number((usd * nanoPerUsd).toPrecision(15)));

/** Of a cap: rounded down. */
export const nanoCapOf = (usd: number): NanoUsd => Math.floor(Number((usd * nanoPerUsd).toPrecision(15)));

export const usdOf = (nano: NanoUsd): number => nano / nanoPerUsd;

/** US dollars per million tokens. What is absent costs what `input` or `output` costs. */
export interface TokenRates {
  readonly input: number;
  readonly cacheRead?: number;
  readonly cacheWrite?: number;
  /** Reasoning included, unless that has a price of its own. */
  readonly output: number;
  readonly reasoning?: number;
}

/** What a model costs. */
export interface ModelPrice extends TokenRates {
  /** US dollars for every request, besides tokens. */
  readonly perRequest?: number;
  /** Rates of requests with more input tokens than `above`, all their tokens included. The highest that applies counts. */
  readonly tiers?: readonly (TokenRates & { readonly above: number })[];
}

/** A price with where it is from. */
export interface KnownPrice extends ModelPrice {
  readonly provider: string;
  readonly model: string;
  /** Who says so, e.g. `options`, or a price list with its version. */
  readonly source: string;
  /** When it was looked up or said to hold from, `YYYY-MM-DD`; absent when the source does not say. */
  readonly date?: string;
  /** Tokens the model reads and writes at most, where known. */
  readonly contextWindow?: number;
}
