// How a run's outcome becomes the entry that closes its journal, and the result the caller gets. Both say the same.
import { type AgentError, type ErrorCode, errorCodes, reviveError, storeError } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import type { Closing, RunEnded } from "../core/journal.ts";
import { textOf } from "../core/message.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Refusal, ResultFacts, RunEnd, RunResult } from "../core/result.ts";
import type { OpenJournal } from "../journal/run-journal.ts";
import type { Answer, Line } from "../pipeline/line.ts";
import { wrapUp } from "../pipeline/stages/response-builder.ts";

/** The last entry of a pass: an end, or a stop that a resume can go on from. A failure that is no fact about the run is a stop. */
export function closingOf(outcome: Outcome<Answer>, line: Line, at: number, begun: boolean): Closing {
  if (outcome.status === "done") return { type: "run.ended", at, status: "completed", answer: answerOf(outcome.value, line) };
  if (outcome.status === "suspended") return { type: "run.stopped", at, status: "suspended", waitingFor: outcome.waitingFor };
  const error = storeError(outcome.error);
  const status = errorCodes[outcome.error.code].ends;
  // Nothing is lost by asking again: not an end, though there is nothing to wrap up.
  if (error.code === "budget_exceeded" && !begun) return { type: "run.stopped", at, status: "refused", error };
  if (status === "partial") return { type: "run.stopped", at, status, error, partial: wrapUp(line, outcome.error) };
  if (status === "halted" || (status === "failed" && !outcome.error.final)) {
    const shown = outcome.error.code === "stream_interrupted" ? line.window.latest : undefined;
    return { type: "run.stopped", at, status, error, ...(shown === undefined ? {} : { shown }) };
  }
  return { type: "run.ended", at, status, error };
}

function answerOf({ text }: Answer, { thread }: Line): NonNullable<RunEnded["answer"]> {
  const { message, ref } = thread.latestAnswer() ?? {};
  return message && ref !== undefined && textOf(message) === text ? { ref } : { text };
}

/** Ends of a pass that say nothing about the run: the store is gone, the run is somebody else's, or it was left for somebody else. */
const breakdowns: ReadonlySet<unknown> = new Set<ErrorCode>(["journal_unavailable", "journal_conflict", "parked"]);

/** True for an end that is not written: like after a crash, a resume goes on from what is. */
export const isBreakdown = ({ error }: { readonly error?: { readonly code: ErrorCode } }): boolean => breakdowns.has(error?.code);

export interface ResultParts {
  readonly run: RunFacts;
  readonly line: Line;
  readonly journal: OpenJournal;
  readonly traceId: string | undefined;
  /** The line has seen what its steps came to. */
  readonly sure: boolean;
}

export function resultOf(
  outcome: Outcome<Answer>,
  closing: Closing,
  { run, line, journal, traceId, sure }: ResultParts,
): RunResult<unknown> {
  const facts: ResultFacts = {
    runId: run.id,
    usage: journal.tally.usage(),
    cost: journal.tally.cost(),
    timings: journal.tally.timings(),
    findings: [...line.findings],
    degraded: [...line.degraded],
    ...(line.simulated ? { simulated: [...line.simulated] } : {}),
    messages: line.thread.transcript(sure),
    resumable: closing.type === "run.stopped" || (isBreakdown(closing) && closing.error?.code !== "journal_conflict"),
    ...(traceId === undefined ? {} : { traceId }),
  };
  return { ...facts, ...endOf(outcome, closing) };
}

// The live error is preferred to the recorded one: it still has its cause.
function endOf(outcome: Outcome<Answer>, closing: Closing): RunEnd<unknown> {
  if (outcome.status === "done" && closing.status === "completed") return { status: "completed", ...outcome.value };
  if (closing.status === "suspended") return { status: "suspended", waitingFor: closing.waitingFor ?? [] };
  const error = errorOf(outcome, closing);
  switch (closing.status) {
    case "partial":
      return { status: "partial", error, ...(closing.partial ?? { finished: [], missing: [], explanation: error.message }) };
    case "refused":
      return { status: "refused", error, refusal: refusalOf(error) };
    case "escalated":
      return { status: "escalated", error, handoff: refusalOf(error) };
    case "halted":
    case "cancelled":
      return { status: closing.status, error };
    case "failed":
    case "completed":
      return { status: "failed", error, ...(closing.type === "run.stopped" && closing.shown !== undefined ? { text: closing.shown } : {}) };
  }
}

function errorOf(outcome: Outcome<Answer>, closing: Closing): AgentError {
  const live = outcome.status === "done" || outcome.status === "suspended" ? undefined : outcome.error;
  const recorded = closing.error;
  if (live && (!recorded || recorded.code === live.code)) return live;
  return reviveError(
    recorded ?? { code: "step_diverged", message: "The journal says the run was completed, but the code found no answer in it." },
  );
}

const refusalOf = ({ code, message, details }: AgentError): Refusal => ({
  by: typeof details["guardrail"] === "string" ? details["guardrail"] : "policy",
  code,
  message,
});
