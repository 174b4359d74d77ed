// What a consumer of a stream sees: a content-free projection of the journal, plus text that has passed the output guardrails.

import type { Measure } from "./cost.ts";
import type { ErrorCode } from "./errors.ts";
import type { Note, StepKind } from "./journal.ts";
import type { RunStatus } from "./result.ts";

/** `at` is epoch ms on the run's clock; `key` is a step's or stage's path. The last event is always `run.finished`. */
export type RunEvent =
  | { readonly type: "run.started"; readonly at: number; readonly runId: string; readonly agent: string }
  | { readonly type: "run.resumed"; readonly at: number }
  | { readonly type: "stage.finished"; readonly at: number; readonly key: string; readonly stage: string; readonly durationMs: number }
  | {
      readonly type: "attempt.started";
      readonly at: number;
      readonly key: string;
      readonly kind: StepKind;
      readonly name: string;
      readonly attempt: number;
    }
  | {
      readonly type: "attempt.failed";
      readonly at: number;
      readonly key: string;
      readonly kind: StepKind;
      readonly name: string;
      readonly attempt: number;
      readonly code: ErrorCode;
      /** What it has cost, where that is known. */
      readonly usd?: number;
      /** When it is tried again; absent after the last attempt. */
      readonly retryAt?: number;
    }
  | {
      readonly type: "step.finished";
      readonly at: number;
      readonly key: string;
      readonly kind: StepKind;
      readonly name: string;
      readonly attempts: number;
      /** Absent when it went well; of a tool call also the code the model was told. */
      readonly code?: ErrorCode;
      /** What its last attempt has cost, where that is known. */
      readonly usd?: number;
    }
  | { readonly type: "note.added"; readonly at: number; readonly key: string; readonly note: Note }
  /** A limit is nearly used up: US dollars, tokens or calls, without what this run asks for now. Once for each limit and pass. */
  | {
      readonly type: "budget.near";
      readonly at: number;
      readonly key: string;
      readonly scope: string;
      readonly measure: Measure;
      readonly limit: number;
      readonly spent: number;
      readonly reserved: number;
    }
  | { readonly type: "text.delta"; readonly turn: number; readonly text: string }
  /** Only when asked for: the text of this turn so far is void, an answer begins anew. */
  | { readonly type: "attempt.restarted"; readonly at: number; readonly turn: number }
  | { readonly type: "run.finished"; readonly at: number; readonly status: RunStatus; readonly code?: ErrorCode };
