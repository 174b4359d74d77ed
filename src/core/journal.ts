// The words of the journal: everything that can be said about a run, as a closed union that views, budgets and replay switch over.

import type { Charge, Reserved } from "./cost.ts";
import type { AgentError, ErrorCode, StoredError } from "./errors.ts";
import type { Principal } from "./facts.ts";
import type { Json } from "./json.ts";
import type { RunInput } from "./message.ts";
import type { Waiting } from "./outcome.ts";
import type { NanoUsd } from "./price.ts";
import type { ChildUsage, PartialAnswer } from "./result.ts";
import type { Usage } from "./usage.ts";

export type StepKind = "model" | "tool" | "custom";

/** The format these entries are written in; every released one can be read for ever. */
export const journalFormat = 1;

export type StoredOutcome = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly error: StoredError };

/** Caps in force; a resume may raise them. Counts per run, milliseconds in all. */
export interface RunCaps {
  readonly turns: number;
  readonly toolCalls: number;
  readonly invalidCalls: number;
  readonly identicalCallsWarn: number;
  readonly identicalCallsStop: number;
  readonly totalMs: number;
  /** Calls that failed, in all and one after the other; absent = as many as there are. */
  readonly failures?: number;
  readonly failuresInARow?: number;
  /** Of the run itself, with the runs within it; money in nano-dollars. */
  readonly budget?: AmountCaps;
}

/** Caps of what a run may cost. */
export interface AmountCaps {
  readonly usd?: NanoUsd;
  readonly tokens?: number;
  readonly calls?: number;
}

/** When, as epoch ms on the run's clock. */
interface At {
  readonly at: number;
}

/** What every entry about a step carries, so that each line can be read and searched for by itself. */
interface AboutStep extends At {
  /** Path in the run, e.g. `turn-2/tool/0`. */
  readonly key: string;
  readonly kind: StepKind;
  /** Model id or tool name. */
  readonly name: string;
}

/** With the first attempt there ever was, or with the outcome of a step that was never tried: what was asked. */
interface Asked {
  readonly input?: Json;
}

/** Why the line made a choice. `own`: in a stage of the user's. */
export type Reason = "guardrails" | "instructions" | "offer" | "route" | "fallback" | "budget" | "own";

/** Of a fork: which run it begins like, and what becomes of its own acts. */
export interface Origin {
  readonly runId: string;
  /** The last turn it has in common with that run, or `start`. */
  readonly at: string;
  readonly effects: "simulate" | "allow";
}

export interface RunStarted extends At {
  readonly type: "run.started";
  readonly format: number;
  readonly runId: string;
  readonly agent: string;
  readonly agentVersion: string;
  readonly input: RunInput;
  readonly user?: Principal;
  readonly conversationId?: string;
  /** The run this one is part of. */
  readonly parent?: string;
  readonly traceId?: string;
  readonly origin?: Origin;
  readonly caps: RunCaps;
}

/** A later pass goes on, after a stop or a crash. */
export interface RunResumed extends At {
  readonly type: "run.resumed";
  readonly format: number;
  readonly agentVersion: string;
  readonly caps: RunCaps;
}

/** Written ahead of every attempt. */
export interface AttemptStarted extends AboutStep, Asked {
  readonly type: "attempt.started";
  /** Counted over all passes. */
  readonly attempt: number;
  /** What was set aside for it, when a budget covers it; what it cost until something else is said. */
  readonly reserved?: Reserved;
}

export interface AttemptFailed extends AboutStep {
  readonly type: "attempt.failed";
  readonly attempt: number;
  readonly error: StoredError;
  /** What was thrown, for whoever has to find out why; content like any prompt or result, and shown by no event. */
  readonly cause?: string;
  /** When it is tried again; absent after the last attempt. */
  readonly retryAt?: number;
  /** What a model is known to have used before it failed. */
  readonly usage?: Usage;
  readonly cost?: Charge;
}

/** `used`: the act has happened, or may have. `released`: it surely has not. */
export type PlaceEnd = "used" | "released";

/** A fact: no later pass takes this step again. */
export interface StepDone extends AboutStep, Asked {
  readonly type: "step.done";
  /** How often it was tried, over all passes; 0 when it was answered without trying. */
  readonly attempts: number;
  readonly outcome: StoredOutcome;
  /** Why it did not go well; of a tool call also what the model was told. */
  readonly code?: ErrorCode;
  readonly usage?: Usage;
  /** Of its last attempt. */
  readonly cost?: Charge;
  /** What became of the place it held under limits of effects. */
  readonly place?: PlaceEnd;
  /** Of the run that it started; what the latest entry of a step says takes the place of what earlier ones said. */
  readonly child?: ChildUsage;
}

/** Given up in this pass: no fact, so a later pass tries again. */
export interface StepAbandoned extends AboutStep {
  readonly type: "step.abandoned";
  readonly attempts: number;
  readonly code: ErrorCode;
  /** What a model is known to have used in an attempt that was given up. */
  readonly usage?: Usage;
  readonly cost?: Charge;
  readonly child?: ChildUsage;
}

export interface Decided extends At {
  readonly type: "decided";
  readonly key: string;
  readonly reason: Reason;
  readonly choice: Json;
}

export interface StageDone extends At {
  readonly type: "stage.done";
  /** Path in the run; its last segment is the stage's name. */
  readonly key: string;
  readonly startedAt: number;
}

export interface NoteAdded extends At {
  readonly type: "note";
  readonly key: string;
  readonly note: Note;
  readonly detail?: Json;
}

/** `agent.resume` can go on from here. A run that failed stops when what failed is worth trying again. */
export interface RunStopped extends At {
  readonly type: "run.stopped";
  /** `refused`: nothing had been begun, for no budget could afford it. */
  readonly status: "partial" | "suspended" | "halted" | "failed" | "refused";
  readonly error?: StoredError;
  readonly waitingFor?: readonly Waiting[];
  readonly partial?: PartialAnswer;
  /** What had been shown of an answer that broke off. */
  readonly shown?: string;
}

/** Once, and for good. */
export interface RunEnded extends At {
  readonly type: "run.ended";
  readonly status: "completed" | "refused" | "escalated" | "cancelled" | "failed";
  readonly error?: StoredError;
  /** What the user was told: by reference when it is word for word what a step recorded. */
  readonly answer?: { readonly ref: string } | { readonly text: string };
}

export type Entry =
  | RunStarted
  | RunResumed
  | AttemptStarted
  | AttemptFailed
  | StepDone
  | StepAbandoned
  | Decided
  | StageDone
  | NoteAdded
  | RunStopped
  | RunEnded;

/** Remarks that change nothing: work given up while running and what came of it afterwards, code that changed, money that runs out or ran over. */
export type Note = "detached" | "late-result" | "input-changed" | "budget-near" | "budget-overrun";

/** What the journal knows of one step. */
export interface StepRecord {
  readonly kind: StepKind;
  readonly name: string;
  /** What was asked at the first attempt. */
  readonly input: Json | undefined;
  /** The last attempt that began; 0 when none did. */
  readonly attempt: number;
  readonly outcome?: StoredOutcome;
  /** Of the run that the step started. */
  readonly child?: ChildUsage;
}

/** A step as the code asks for it. */
export type AskedStep = Pick<StepRecord, "kind" | "name" | "input"> & { readonly key: string };

/** A choice as the code asks for it; what it would choose only where that is known without asking anybody. */
export interface AskedChoice {
  readonly key: string;
  readonly reason?: Reason;
  readonly choice?: Json;
}

/** Holds what the code asks for against what was recorded; answers the error that ends a replay at the first difference. */
export interface ReplayCheck {
  step(asked: AskedStep): AgentError | undefined;
  choice(asked: AskedChoice): AgentError | undefined;
}

/** Whether a step is a part of the answer that a run was wrapped up with; a pass that goes on after it knows nothing of it. */
export const isWrapUp = (key: string): boolean => key.includes("/wrap-up/");

/** The stop or end a run's journal closes with. */
export type Closing = RunStopped | RunEnded;

export const isClosing = (entry: Entry): entry is Closing => entry.type === "run.stopped" || entry.type === "run.ended";

/** The stop or end a journal is closed by; undefined when the run is going on, or its process died. */
export function closingIn(entries: readonly Entry[]): Closing | undefined {
  const last = entries.findLast((entry) => isClosing(entry) || entry.type === "run.resumed");
  return last && isClosing(last) ? last : undefined;
}

/**
 * One run's journal as its owner sees it while passing over it. Writes are durable, in order and fenced: when `write` resolves the
 * entries will be read back by any later pass. A failing store makes every further write fail with `journal_unavailable`.
 */
export interface RunJournal {
  /** What was recorded of this step before this pass. */
  find(key: string): StepRecord | undefined;
  /** The last attempt of this step that began, in this pass or before; 0 when none did. */
  tried(key: string): number;
  /** True when an attempt of this step began in this pass. */
  begun(key: string): boolean;
  /** True when an attempt of this step was left behind, in any pass, and nobody has heard that it came to nothing. */
  leftBehind(key: string): boolean;
  /** The recorded choice, or undefined when none was made before this pass. */
  decided(key: string): Json | undefined;
  /** True when this stage was completed before this pass. */
  stageDone(key: string): boolean;
  /** Set when the journal is closed: what is not in it must not be performed any more. */
  readonly closing: Closing | undefined;
  /** Set when the pass is a replay: everything asked for is to be compared. */
  readonly check: ReplayCheck | undefined;
  /** Tells the consumer what was recorded up to and including this step or stage; called when a pass meets it again. */
  reached(key: string): void;
  /**
   * With no entries it only makes durable what is held. Rejects once the run is closed. Undefined when it is done at once, as with a store
   * in memory: then nobody has to wait.
   */
  write(entries: readonly Entry[]): Promise<void> | undefined;
  /** Keeps an entry that nothing depends on yet; it becomes durable with the next write, in order. */
  hold(entry: Entry): void;
  /** Adds a remark; also after the run has closed. Never fails the run. */
  note(entry: NoteAdded): void;
  /** The error that broke the journal, if one did. */
  readonly broken: AgentError | undefined;
}
