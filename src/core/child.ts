// A run within a run: what the run above hands to an agent it calls, and what it hears of it. The id says whose part the run is, so asking again finds it.
import type { AgentError } from "./errors.ts";
import type { RunFacts } from "./facts.ts";
import type { Limit } from "./ledger.ts";
import type { Outcome } from "./outcome.ts";
import type { ChildUsage, Taken } from "./result.ts";
import type { StepContext } from "./step.ts";
import type { Store } from "./store.ts";
import type { Trace } from "./trace.ts";

/** Stands between the id of a run and the key of the step that a run within it was started by. No id that a user chooses has one. */
export const childMark = ">";

/** The same for every attempt and pass of the step, and for nothing else in the store. */
export const childRunId = (parent: string, key: string): string => parent + childMark + key;

/** How many runs this one is within; 0 for one that a user started. */
export const depthOf = (runId: string): number => runId.split(childMark).length - 1;

/** What a run hands to the agent that is to do a part of it. */
export interface ChildCall {
  readonly runId: string;
  readonly parent: RunFacts;
  /** Where the run above is kept. */
  readonly store: Store;
  /** Aborted when the attempt or the run above is to stop; its reason is an `AgentError`. */
  readonly signal: AbortSignal;
  /** Epoch ms at which the run above has to be over. */
  readonly deadlineAt: number;
  /** Asked before the run takes more; the error of the run above whose limit that would pass, and then nothing is counted. */
  readonly count: (taken: Taken) => AgentError | undefined;
  /** Every limit on what the run above may cost: the run within is covered by each. */
  readonly budgets: readonly Limit[];
  /** Once it is requested nothing more is begun, above and within. */
  readonly parking: StepContext["parking"];
  /** The span of the call. */
  readonly trace: Trace;
}

/** How a run within a run ended or stopped, as the run above has to take it. */
export interface ChildEnd {
  readonly outcome: Outcome<unknown>;
  /** Absent when there is no such run. */
  readonly used?: ChildUsage;
}

/** An agent as a part of other agents' runs. */
export interface ChildAgent<Input = unknown, Output = unknown> {
  /** Starts the run of this id, goes on with it, or answers it from its journal, whichever there is to do. Throws what `input` throws. */
  run(input: Input, call: ChildCall): Promise<ChildEnd>;
  /** Whether the run of this id has come to an end, without going on with it. */
  standing(call: ChildCall): Promise<"none" | "open" | "ended">;
  /** The stores in which it, and agents further down, keep runs of their own. */
  readonly stores: readonly Store[];
  /** Names of models nobody knows a price of, here and further down. */
  readonly unpriced: readonly string[];
  /** What the caller's model is to be told of the agent's output. */
  told(output: unknown): Output | Promise<Output>;
}
