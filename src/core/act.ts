// A call as limits of effects see it, and the port that holds a place for it before it is made. The journal says what came of it.
import type { AgentError } from "./errors.ts";
import type { Entry, PlaceEnd } from "./journal.ts";
import type { AttemptId } from "./ledger.ts";

/** What a call counts as. */
export interface Act {
  /** The tool that was asked for; of a fallback the one that it stands in for. */
  readonly tool: string;
  /** Its arguments, validated. */
  readonly input: unknown;
}

/** The places that one pass over a run holds for its acts. A step is known by its whole key. */
export interface Acts {
  /** Whether limits hold for such a call, or a place is held for it already. */
  covers(key: string, act: Act): boolean;
  /**
   * Holds a place for it under every limit, or none: then the error says why. One that an earlier pass has begun keeps the place it has.
   * Never rejects.
   */
  reserve(key: string, act: Act): Promise<AgentError | undefined>;
  /** No attempt at it has ever begun: its place is free again. */
  release(key: string): void;
  /** How an attempt at it failed. */
  failed(attempt: AttemptId, error: AgentError): void;
  /** Whether every attempt from `first` to `last` has said of itself that it failed. */
  allFailed(key: string, first: number, last: number): boolean;
  /** What it has come to, until the entry that says so is written. */
  ended(key: string, end: PlaceEnd): void;
  takeEnd(key: string): PlaceEnd | undefined;
  /** Follows an entry that has become durable. */
  follow(entry: Entry): void;
}
