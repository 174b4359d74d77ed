// What things cost, and who keeps account of it: the port between steps and budgets. The journal says what was charged; a ledger follows it.
import type { Charge, Cost, Measure, Reserved } from "./cost.ts";
import type { AgentError } from "./errors.ts";
import type { Entry } from "./journal.ts";
import type { Json } from "./json.ts";
import type { Outcome } from "./outcome.ts";
import type { NanoUsd } from "./price.ts";

/** The most an attempt can cost, in whole amounts. What it may say can be shortened, so that it costs less. */
export interface WorstCase extends Cost {
  /** In tokens; `least` is the shortest answer that is of any use. Its cost comes on top: so many nano-dollars a token, which need not be whole. */
  readonly output?: { readonly most: number; readonly least: number; readonly nanoUsd?: number };
  /** Paid from what is kept back for it. */
  readonly isWrapUp?: true;
}

/** What a step costs, attempt by attempt. */
export interface StepCost<T> {
  /** Asked before every attempt. */
  worst(): WorstCase;
  /**
   * What the attempt that has just ended has cost. Undefined when nobody knows: then it counts as what was set aside, if anything was.
   */
  charge(outcome: Outcome<T>, reserved: Reserved | undefined): Charge | undefined;
}

/** A stretch of time a limit is counted in. */
export interface Window {
  /** Names the window within its limit, for a counter's key; never the same for two windows of one label. */
  readonly name: string;
  /** Other parts that count as well, of a window that rolls. */
  readonly also: readonly string[];
  /** Epoch ms: when something of it may be free again. Absent for ever. */
  readonly resetsAt?: number;
  /** Epoch ms after which nobody asks for it any more. Absent for ever. */
  readonly until?: number;
}

/** One limit that covers a run. */
export interface Limit {
  /** `run`, `user`, ... or a name of the user's. */
  readonly scope: string;
  readonly measure: Measure;
  /** Whose it is, within the scope. */
  readonly who: readonly string[];
  /** The same in all its windows. */
  readonly key: string;
  /** What was said about its windows. */
  readonly window: Json;
  /** In nano-dollars, tokens or calls. */
  readonly most: number;
  /** What of it nobody may use but the run it belongs to, for its wrap-up. */
  readonly keptBack?: number;
  /** The run it belongs to, when it is one of a run. */
  readonly run?: string;
  at(now: number): Window;
}

/** Where a limit stands when it is asked for. */
export interface Standing {
  readonly limit: Limit;
  readonly spent: number;
  readonly reserved: number;
}

/** The account of one pass over a run. */
export interface Ledger {
  /** Every limit that covers the run, those of the runs above included; empty when there is none. */
  readonly limits: readonly Limit[];
  /** The same as they cover a run within this one, which may not use what is kept back. */
  limitsWithin(): readonly Limit[];
  /**
   * Sets the most an attempt can cost aside under every limit, or nothing: then the error says which would be passed. Shortens what it may
   * say to what the tightest limit has left. Never rejects.
   */
  reserve(attempt: AttemptId, worst: WorstCase): Promise<Reserved | AgentError>;
  /** Something has been charged that the journal does not hold for good yet, so that it is still set aside. */
  readonly owes: boolean;
  /** The attempt was not made after all. */
  readonly release: (attempt: AttemptId) => void;
  /** What an attempt has cost, until the entry that says so is written. Answers what all attempts of the step in this pass have cost. */
  readonly charged: (key: string, charge: Charge) => NanoUsd;
  readonly takeCharge: (key: string) => Charge | undefined;
  /** Follows an entry that has become durable. */
  readonly follow: (entry: Entry) => void;
  /** Keeps as much of the run's own limits back from everything but its wrap-up: the first of these that leaves enough to go on with. */
  keepBack(costs: readonly Cost[]): void;
  /** Limits that have turned out to be nearly used up; each is told once. */
  readonly takeWarnings: () => readonly Standing[];
  /** Those of this agent's limits that are nearly used up now. Answers none when that cannot be found out. */
  near(): Promise<readonly Standing[]>;
}

/** Which attempt of which step. */
export interface AttemptId {
  readonly key: string;
  readonly attempt: number;
}
