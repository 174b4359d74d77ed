// What somebody outside may see of a run, and the HTTP status it is told with. Never the transcript, tool data, a cause or the context.
import { AgentError, type ErrorCode } from "../core/errors.ts";
import type { FinishReason } from "../core/model.ts";
import type { Missing, RunResult, RunStatus } from "../core/result.ts";

/** An error as a client sees it. Decide by the code. */
export interface ClientError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** When it is worth trying again, in milliseconds since the epoch. */
  readonly retryAt?: number;
}

/** A run's result as a client sees it: the body of a JSON answer, and the data of the last event of a stream. */
export interface ClientResult<Output = string> {
  readonly runId: string;
  readonly status: RunStatus;
  readonly resumable: boolean;
  /** Of a completed run. */
  readonly output?: Output;
  /** The text of the answer; of a partial run, and of one whose answer broke off, what had been shown. */
  readonly text?: string;
  readonly finishReason?: FinishReason;
  /** Of a partial run: tools that had given a result, what is missing, and both in plain words. */
  readonly finished?: readonly string[];
  readonly missing?: readonly Missing[];
  readonly explanation?: string;
  /** Of a suspended run: the tools whose acts somebody has to look at. */
  readonly waitingFor?: readonly string[];
  /** Of every run that was not completed or suspended; of a refusal its message. */
  readonly error?: ClientError;
}

/** The part of an error that may leave the service. */
export function clientError({ code, message, hint, details }: AgentError): ClientError {
  const { resetsAt, retryAt = resetsAt } = details;
  return { code, message, hint, ...(typeof retryAt === "number" ? { retryAt } : {}) };
}

/** The part of a result that may leave the service. */
export function clientResult<Output>(result: RunResult<Output>): ClientResult<Output> {
  const { runId, status, resumable } = result;
  const facts = { runId, status, resumable };
  switch (result.status) {
    case "completed": {
      const { output, text, finishReason } = result;
      return { ...facts, output, text, finishReason };
    }
    case "partial": {
      const { text, finished, missing, explanation, error } = result;
      return { ...facts, ...(text === undefined ? {} : { text }), finished, missing, explanation, error: clientError(error) };
    }
    case "suspended":
      return { ...facts, waitingFor: result.waitingFor.map(({ tool }) => tool) };
    case "failed":
      return { ...facts, ...(result.text === undefined ? {} : { text: result.text }), error: clientError(result.error) };
    case "refused":
    case "escalated":
    case "cancelled":
    case "halted":
      return { ...facts, error: clientError(result.error) };
  }
}

const byStatus: Readonly<Record<Exclude<RunStatus, "failed">, number>> = {
  completed: 200,
  // Something was done and there is something to show: nothing may take it for a request to send again.
  partial: 200,
  suspended: 202,
  escalated: 202,
  refused: 422,
  cancelled: 503,
  halted: 503,
};

const byCode: Partial<Record<ErrorCode, number>> = {
  input_invalid: 400,
  run_not_found: 404,
  run_id_conflict: 409,
  run_active: 409,
  journal_conflict: 409,
  context_too_long: 413,
  model_response_invalid: 502,
  stream_interrupted: 502,
  rate_limited: 503,
  provider_unavailable: 503,
  circuit_open: 503,
  journal_unavailable: 503,
  // Only of a run that could not be opened in time.
  deadline_exceeded: 503,
  step_timeout: 504,
  first_token_timeout: 504,
  idle_timeout: 504,
};

/** The HTTP status of a result; docs/guides/services.md is tested against it. */
export function httpStatusOf(result: RunResult<unknown>): number {
  if (result.status === "failed") return byCode[result.error.code] ?? 500;
  // Nothing was done for want of a budget: the same request may be sent again when there is one.
  return result.status === "refused" && result.error.code === "budget_exceeded" ? 429 : byStatus[result.status];
}
