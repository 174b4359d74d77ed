// How a step ends. Layers and stages return outcomes; a pause, a halt or a refusal is never an exception that user code could swallow.
import { AgentError, errorCodes, isOfThePass, toAgentError } from "./errors.ts";

/** Something a run waits for: here an act of which nobody knows whether it happened. */
export interface Waiting {
  readonly kind: "in-doubt";
  readonly key: string;
  readonly tool: string;
  /** The run that waits, when it is not this one but a part of it. */
  readonly runId?: string;
}

/** `failed`: it was tried and did not work. `refused`: a rule said no. `suspended`: someone has to say. `halted`: stopped from outside. */
export type Outcome<T> =
  | { readonly status: "done"; readonly value: T }
  | { readonly status: "failed"; readonly error: AgentError }
  | { readonly status: "refused"; readonly error: AgentError }
  | { readonly status: "suspended"; readonly waitingFor: readonly Waiting[] }
  | { readonly status: "halted"; readonly error: AgentError };

/** An outcome without a value: what stops the line wherever it stands. */
export type Stopped = Exclude<Outcome<never>, { status: "done" }>;

export const done = <T>(value: T): Outcome<T> => ({ status: "done", value });
export const failed = (error: AgentError): Stopped => ({ status: "failed", error });
export const refused = (error: AgentError): Stopped => ({ status: "refused", error });
export const suspended = (waitingFor: readonly Waiting[]): Stopped => ({ status: "suspended", waitingFor });

/** Whether somebody else's code has answered an outcome that can be relied on. */
export function isOutcome(value: unknown): value is Outcome<unknown> {
  if (typeof value !== "object" || value === null || !("status" in value)) return false;
  switch (value.status) {
    case "done":
      return "value" in value;
    case "failed":
    case "refused":
    case "halted":
      return "error" in value && AgentError.is(value.error) && Object.hasOwn(errorCodes, value.error.code);
    case "suspended":
      return "waitingFor" in value && Array.isArray(value.waitingFor) && value.waitingFor.length > 0;
    default:
      return false;
  }
}

/** The outcome an error amounts to, by the table of codes. */
export function stoppedBy(error: AgentError): Stopped {
  switch (errorCodes[error.code].ends) {
    case "halted":
      return { status: "halted", error };
    case "refused":
    case "partial":
    case "escalated":
      return refused(error);
    case "failed":
    case "cancelled":
      return failed(error);
  }
}

/** What a pass ends with that leaves its run for another worker. */
export const parkedError = (): AgentError => new AgentError("parked", "The agent is shutting down; the run was left where it stood.");

/** Why a signal was aborted, as an error of ours; a reason that is not ours counts as a cancel. */
export const stopReason = ({ reason }: AbortSignal): AgentError => toAgentError(reason, "cancelled", "The run was cancelled.");

/** The outcome that an aborted signal amounts to. */
export const stoppedBySignal = (signal: AbortSignal): Stopped => stoppedBy(stopReason(signal));

/** A refusal, suspension or halt, or the end of the whole pass: nothing a retry, a breaker or a middleware may change. */
export function isInterruption(outcome: Outcome<unknown>): boolean {
  return outcome.status !== "done" && (outcome.status !== "failed" || isOfThePass(outcome.error.code));
}

const gravity = { done: 0, suspended: 1, refused: 2, failed: 3, halted: 4 };

/**
 * Of several outcomes the gravest: bug of ours, halted, failed, refused, suspended, done. But what would end the run for good comes after
 * a suspension: an act of which nobody knows whether it happened must not be forgotten with the run. Suspensions are joined.
 */
export function gravest<T>(outcomes: readonly Outcome<T>[]): Outcome<readonly T[]> {
  const values: T[] = [];
  const waitingFor: Waiting[] = [];
  let worst: Stopped | undefined;
  for (const outcome of outcomes) {
    if (outcome.status === "done") values.push(outcome.value);
    else if (!worst || weight(outcome) > weight(worst)) worst = outcome;
    if (outcome.status === "suspended") waitingFor.push(...outcome.waitingFor);
  }
  if (!worst) return done(values);
  return worst.status === "suspended" ? suspended(waitingFor) : worst;
}

function weight(outcome: Stopped): number {
  if (outcome.status === "suspended" || outcome.status === "halted") return gravity[outcome.status];
  if (outcome.error.code === "internal_error") return 5;
  return isForGood(outcome.error) ? gravity[outcome.status] / 10 : gravity[outcome.status];
}

const isForGood = ({ code, final }: AgentError) => final || errorCodes[code].ends === "escalated" || errorCodes[code].ends === "refused";
