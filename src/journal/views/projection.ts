// A view: the event a consumer sees for an entry. Content stays behind.

import { type ErrorCode, isErrorCode } from "../../core/errors.ts";
import type { RunEvent } from "../../core/events.ts";
import type { Entry } from "../../core/journal.ts";
import { field } from "../../core/json.ts";

export function project(entry: Entry): RunEvent | undefined {
  const { at } = entry;
  switch (entry.type) {
    case "run.started":
      return { type: "run.started", at, runId: entry.runId, agent: entry.agent };
    case "run.resumed":
      return { type: "run.resumed", at };
    case "stage.done":
      return { type: "stage.finished", at, key: entry.key, stage: entry.stage, durationMs: at - entry.startedAt };
    case "step.began":
      return { type: "attempt.started", at, key: entry.key, kind: entry.kind, name: entry.name, attempt: entry.attempt };
    case "attempt.failed": {
      const { key, kind, name, attempt, error, retryAt } = entry;
      return { type: "attempt.failed", at, key, kind, name, attempt, code: error.code, ...(retryAt === undefined ? {} : { retryAt }) };
    }
    case "step.done": {
      const { key, kind, name, attempts } = entry;
      const code = codeOf(entry);
      return { type: "step.finished", at, key, kind, name, attempts, ...(code ? { code } : {}) };
    }
    case "step.failed": {
      const { key, kind, name, attempts, code } = entry;
      return { type: "step.finished", at, key, kind, name, attempts, code };
    }
    case "note":
      return { type: "note.added", at, key: entry.key, note: entry.note };
    case "run.stopped":
    case "run.ended":
      return { type: "run.finished", at, status: entry.status, ...(entry.error ? { code: entry.error.code } : {}) };
    case "decided":
      return undefined;
  }
}

/** The code a step ended with; a tool call that failed is done for the journal, and its result says with what code. */
export function codeOf(entry: Extract<Entry, { type: "step.done" }>): ErrorCode | undefined {
  if (!entry.outcome.ok) return entry.outcome.error.code;
  const code = entry.kind === "tool" ? field(field(entry.outcome.value, "error"), "code") : undefined;
  return isErrorCode(code) ? code : undefined;
}
