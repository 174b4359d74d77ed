// What a store has to offer, as small ports. Lines are entries as JSON text; a store keeps them byte for byte and understands none of them.
import type { Json } from "./json.ts";

/** Ownership of one run; `epoch` grows with every claim, so that a stale owner's append is refused. */
export interface Claim {
  readonly epoch: number;
  /** Every line so far, in order. */
  readonly lines: readonly string[];
}

/**
 * For how long a run is somebody's to drive unless they renew it. A duration, reckoned by the store's own clock: processes need not agree
 * on the time.
 */
export interface Lease {
  /** Whose, for people who look at the store. */
  readonly owner: string;
  readonly forMs: number;
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
  /** The run this one is part of. */
  readonly parent?: string;
}

/** A run as a store knows it without reading its lines. Times in ms since the epoch, by the store's clock. */
export interface RunSummary extends RunHeader {
  readonly phase: RunPhase;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Which runs; every field narrows. The newest first. */
export interface RunQuery {
  readonly agent?: string;
  readonly user?: string;
  readonly tenant?: string;
  readonly conversationId?: string;
  readonly parent?: string;
  readonly phase?: RunPhase;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
  /** Those that come after this run in the same order, for the next page. */
  readonly after?: string;
}

export interface Journal {
  /** Makes a new run with its first lines and claims it at epoch 1. False when the id exists: nothing is changed then. */
  create(header: RunHeader, lines: readonly string[], lease?: Lease): Promise<boolean>;
  /**
   * Takes a run over: every earlier owner's appends fail from now on. Undefined when there is no such run. With `ifFree` also when it is
   * not running, or somebody's lease of it has not run out: of any number of workers that ask, one gets it. Whoever claims or creates
   * without a lease leaves it free.
   */
  claim(runId: string, lease?: Lease, condition?: "ifFree"): Promise<Claim | undefined>;
  /** Every line so far, without claiming. Undefined when there is no such run. */
  load(runId: string): Promise<readonly string[] | undefined>;
  /**
   * Adds lines in one transaction, or none. Throws `journal_conflict` when `epoch` is not the latest claim's or `sequence` is not
   * the number of lines there are. May complete without a promise: a store in memory then costs no turn of the event loop.
   */
  append(runId: string, at: { epoch: number; sequence: number }, lines: readonly string[], phase: RunPhase): Promise<void> | void;
  /** Prolongs leases, also run-out ones nobody took; answers the ids of those that are somebody else's by now. A store without leases has none of the next four. */
  renew?(held: readonly { readonly runId: string; readonly epoch: number }[], forMs: number): Promise<readonly string[]>;
  /** Gives a run back before its lease runs out. Does nothing when it is somebody else's. */
  release?(runId: string, epoch: number): Promise<void>;
  /**
   * Runs of this agent that are running and nobody's, the longest waiting first. Not those with a `parent`: whoever takes that one up goes
   * on with them.
   */
  free?(agent: string, limit: number): Promise<readonly string[]>;
  find?(query: RunQuery): Promise<readonly RunSummary[]>;
}

/** A part of a limited amount that is held before it is used. Amounts are whole numbers of whatever the key counts, not negative. */
export interface Hold {
  readonly key: string;
  readonly amount: number;
  /** What used and held together may not pass. */
  readonly limit: number;
  /** What these keys stand at counts against the limit as well: the earlier parts of a window that rolls. */
  readonly also?: readonly string[];
  /** Epoch ms by the store's clock after which nobody asks for the key any more: then it may be forgotten. Absent = never. */
  readonly until?: number;
  /** The run the key belongs to; it is forgotten with that run. */
  readonly run?: string;
}

/** What a counter stands at. */
export interface CounterState {
  readonly used: number;
  readonly held: number;
}

/** What a hold of several is told: where each key stands, what was just held and what stands in `also` included. */
export interface Granted {
  readonly granted: true;
  readonly standing: Readonly<Record<string, CounterState>>;
}

/** Nothing was held: this key would have passed its limit, and stands here, with what stands in `also`. */
export interface Refused extends CounterState {
  readonly granted: false;
  readonly refusedBy: string;
}

/** A hold nobody has settled yet. */
export interface OpenHold {
  readonly id: string;
  readonly key: string;
  readonly amount: number;
}

/** Amounts shared by all processes that share the store. */
export interface Counters {
  /**
   * Holds all of it, or nothing. A hold that is not settled within `forMs` counts as used. The same `id` again, while it is held or has run
   * out, holds nothing more; one that was refused or settled has left nothing and is asked afresh.
   */
  reserve(id: string, holds: readonly Hold[], forMs: number): Promise<Granted | Refused>;
  /**
   * What was really used, by key, in place of what was held; keys left out used nothing, and it may be more than was held. Also corrects
   * a hold that has run out. Once per id; nothing for an id that holds nothing.
   */
  settle(id: string, used: Readonly<Record<string, number>>): Promise<void>;
  /** In the order given; a key never used stands at 0. */
  read(keys: readonly string[]): Promise<readonly CounterState[]>;
  /** What is held, or has run out, under ids that begin with `prefix`, and is not settled. By id and key. */
  open(prefix: string): Promise<readonly OpenHold[]>;
  /** Forgets the keys of a run, and what is held of them. */
  forget(run: string): Promise<void>;
}

/** A document and how often it was written; 1 for the first time. */
export interface Versioned {
  readonly id: string;
  readonly version: number;
  readonly value: Json;
}

/** Documents by kind and id, written by compare-and-set. */
export interface Records {
  get(kind: string, id: string): Promise<Versioned | undefined>;
  /** Writes when the document stands at `version` (0: is not there), else false and nothing is changed. */
  put(kind: string, id: string, value: Json, version: number): Promise<boolean>;
  /** By id, from after `after` on. */
  list(kind: string, page: { readonly limit: number; readonly after?: string }): Promise<readonly Versioned[]>;
  /** True when it stood at `version` and is gone. */
  remove(kind: string, id: string, version: number): Promise<boolean>;
}

/** Something left for a run by whoever may not write its journal. */
export interface InboxMessage {
  readonly id: string;
  /** Grows from message to message of a run. */
  readonly position: number;
  readonly value: Json;
}

/** What people and other processes leave for a run; its owner reads it and copies what counts into the journal. */
export interface Inbox {
  /** False when a message of this id is there already: the first one counts. */
  post(runId: string, id: string, value: Json): Promise<boolean>;
  /** In the order they were left, from after `position` on. */
  read(runId: string, position?: number): Promise<readonly InboxMessage[]>;
}

/** Everything an agent keeps outside the process's memory. What needs a port that is not there says so when the agent is made. */
export interface Store {
  readonly journal: Journal;
  readonly counters?: Counters;
  readonly records?: Records;
  readonly inbox?: Inbox;
  /** Lets go of files and connections; nothing works afterwards. */
  close?(): Promise<void>;
}

/** A store with every port: what ours are. */
export interface WholeStore extends Required<Store> {
  readonly journal: Required<Journal>;
}
