// What a store has to offer. Lines are entries as JSON text; a store keeps them byte for byte and understands none of them.

/** Ownership of one run; `epoch` grows with every claim, so that a stale owner's append is refused. */
export interface Claim {
  readonly epoch: number;
  /** Every line so far, in order. */
  readonly lines: readonly string[];
}

/** Where a run stands, for finding runs without reading their lines. */
export type RunPhase = "running" | "stopped" | "ended";

/** What a run can be found by. Never changes. */
export interface RunHeader {
  readonly runId: string;
  readonly agent: string;
  readonly user?: string;
  readonly tenant?: string;
  readonly conversationId?: string;
}

export interface Journal {
  /** Makes a new run with its first lines and claims it at epoch 1. False when the id exists: nothing is changed then. */
  create(header: RunHeader, lines: readonly string[]): Promise<boolean>;
  /** Takes a run over: every earlier owner's appends fail from now on. Undefined when there is no such run. */
  claim(runId: string): Promise<Claim | undefined>;
  /** Every line so far, without claiming. Undefined when there is no such run. */
  load(runId: string): Promise<readonly string[] | undefined>;
  /**
   * Adds lines in one transaction, or none. Throws `journal_conflict` when `epoch` is not the latest claim's or `sequence` is not
   * the number of lines there are. May complete without a promise: a store in memory then costs no turn of the event loop.
   */
  append(runId: string, at: { epoch: number; sequence: number }, lines: readonly string[], phase: RunPhase): Promise<void> | void;
}

/** Everything an agent keeps outside the process's memory. */
export interface Store {
  readonly journal: Journal;
}
