// The words of the journal: everything that can be said about a run, as a closed union that views, budgets and replay switch over.
import type { AgentError, ErrorCode, StoredError } from "./errors.ts";
import type { Principal } from "./facts.ts";
import type { Json } from "./json.ts";
import type { RunInput } from "./message.ts";
import type { Waiting } from "./outcome.ts";
import type { PartialAnswer } from "./result.ts";

export type StepKind = "model" | "tool" | "custom";

/** The format these entries are written in; every released one can be read for ever. */
export const journalFormat = 1;

export type StoredOutcome = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly error: StoredError };

/** Caps in force; a resume may raise them. Counts per run, milliseconds in all. */
export interface RunTerms {
  readonly turns: number;
  readonly toolCalls: number;
  readonly invalidCalls: number;
  readonly identicalCallsWarn: number;
  readonly identicalCallsStop: number;
  readonly totalMs: number;
}

/** `at` is epoch ms on the run's clock. */
export type Entry =
  | {
      readonly type: "run.started";
      readonly at: number;
      readonly format: number;
      readonly runId: string;
      readonly agent: string;
      readonly agentVersion: string;
      readonly input: RunInput;
      readonly user?: Principal;
      readonly conversationId?: string;
      readonly traceId?: string;
      readonly terms: RunTerms;
    }
  | { readonly type: "run.resumed"; readonly at: number; readonly agentVersion: string; readonly terms: RunTerms }
  | {
      readonly type: "step.began";
      readonly at: number;
      readonly key: string;
      readonly kind: StepKind;
      readonly name: string;
      readonly attempt: number;
      readonly print: string;
      /** With the first attempt only. */
      readonly input?: Json;
    }
  | {
      readonly type: "attempt.failed";
      readonly at: number;
      readonly key: string;
      readonly kind: StepKind;
      readonly name: string;
      readonly attempt: number;
      readonly error: StoredError;
      /** What was thrown, for whoever has to find out why; content like any prompt or result, and shown by no event. */
      readonly cause?: string;
      /** When it is tried again; absent after the last attempt. */
      readonly retryAt?: number;
    }
  | {
      readonly type: "step.done";
      readonly at: number;
      readonly key: string;
      readonly kind: StepKind;
      readonly name: string;
      /** How often it was tried; 0 when it was answered without trying. */
      readonly attempts: number;
      readonly outcome: StoredOutcome;
      /** These two only of a step that never began: else `step.began` has them. */
      readonly print?: string;
      readonly input?: Json;
    }
  | {
      /** Given up in this pass: no fact, so a later pass tries again. */
      readonly type: "step.failed";
      readonly at: number;
      readonly key: string;
      readonly kind: StepKind;
      readonly name: string;
      readonly attempts: number;
      readonly code: ErrorCode;
    }
  | { readonly type: "decided"; readonly at: number; readonly key: string; readonly choice: Json }
  | {
      readonly type: "stage.done";
      readonly at: number;
      readonly key: string;
      readonly stage: string;
      readonly startedAt: number;
    }
  | { readonly type: "note"; readonly at: number; readonly key: string; readonly note: Note; readonly detail?: Json }
  | {
      readonly type: "run.stopped";
      readonly at: number;
      readonly status: "partial" | "suspended" | "halted";
      readonly error?: StoredError;
      readonly waitingFor?: readonly Waiting[];
      readonly partial?: PartialAnswer;
    }
  | {
      readonly type: "run.ended";
      readonly at: number;
      readonly status: "completed" | "refused" | "escalated" | "cancelled" | "failed";
      readonly error?: StoredError;
    };

/** Remarks that change nothing: work given up while running, and what came of it afterwards. */
export type Note = "detached" | "late-result" | "input-changed";

/** What the journal knows of one step. */
export interface StepRecord {
  readonly kind: StepKind;
  readonly name: string;
  readonly print: string;
  /** The last attempt that began; 0 when none did. */
  readonly attempt: number;
  readonly outcome?: StoredOutcome;
}

/** The stop or end a run's journal closes with. */
export type Closing = Extract<Entry, { type: "run.stopped" | "run.ended" }>;

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
  /** The recorded choice, or undefined when none was made before this pass. */
  decided(key: string): Json | undefined;
  /** True when this stage was completed before this pass. */
  stageDone(key: string): boolean;
  /** Set when the journal is closed: what is not in it must not be performed any more. */
  readonly closing: Closing | undefined;
  /** Tells the consumer what was recorded up to and including this step or stage; called when a pass meets it again. */
  reached(key: string): void;
  /** With no entries it only makes durable what is held. Rejects once the run is closed. */
  write(entries: readonly Entry[]): Promise<void>;
  /** Keeps an entry that nothing depends on yet; it becomes durable with the next write, in order. */
  hold(entry: Entry): void;
  /** Adds a remark; also after the run has closed. Never fails the run. */
  note(entry: Extract<Entry, { type: "note" }>): void;
  /** The error that broke the journal, if one did. */
  readonly broken: AgentError | undefined;
}
