// What things cost, in the words the journal uses. Plain JSON.
import type { NanoUsd } from "./price.ts";

/** What a limit can be counted in. `calls`: attempts at model calls, and at tools that cost something. */
export type Measure = "usd" | "tokens" | "calls";

/** Input and output together; money is absent where nobody knows a price. */
export interface Cost {
  readonly nanoUsd?: NanoUsd;
  readonly tokens: number;
}

/** What was set aside for an attempt before it was made. */
export interface Reserved extends Cost {
  /** What the attempt may say at most. */
  readonly maxOutputTokens?: number;
}

/**
 * What an attempt has cost. `reported`: by what the provider said it used; `declared`: by what the tool said; `reserved`: nobody knows what
 * it used, so it counts as the most it can have been.
 */
export interface Charge extends Cost {
  readonly basis: "reported" | "declared" | "reserved";
  /** It was more than had been set aside. */
  readonly overrun?: true;
}
