// Owns whether and when a failed attempt is made again: n attempts are n performs, never earlier than asked, never past the deadline.
import pRetry from "p-retry";
import { AgentError, isOfThePass, storeError, toAgentError } from "../core/errors.ts";
import { failed, type Outcome, parkedError, type Stopped, stoppedBySignal } from "../core/outcome.ts";
import { randomAt } from "../core/print.ts";
import { type Layer, type Next, retryDefaults, type Step, type StepContext } from "../core/step.ts";
import { spanEvents } from "../core/trace.ts";
import { sleep } from "../core/waiting.ts";

/** A wait that was asked for is lengthened by up to this share, so that those told the same do not come back together. */
const spread = 0.1;

type Failed = Extract<Stopped, { status: "failed" }>;

/** Carries a failed attempt through p-retry, which knows errors only, and the decision back. */
class AttemptFailed extends AgentError {
  readonly failure: AgentError;
  readonly attempt: number;
  /** The step's outcome when no further attempt follows. */
  answer: Stopped;
  kept = false;

  constructor(outcome: Failed, attempt: number) {
    super(outcome.error.code, outcome.error.message, { cause: outcome.error });
    this.failure = outcome.error;
    this.attempt = attempt;
    this.answer = outcome;
  }
}

/**
 * Per step, not on replay: up to `step.terms.attempts` attempts, numbered on from `context.attempt`, while the failure says `retryable`.
 * Backs off with full jitter; a wait the failure asks for (`details.retryAfterMs`, `details.retryAt`) beats that. A wait that does not
 * end before the deadline, or is longer than `step.terms.longestWaitMs`, is not begun: the failure is the answer, with `details.retryAt`
 * when one was asked for. Never repeats an act that may not be. Each attempt that failed is held for the journal.
 */
export const retried: Layer = (step, context, next) =>
  step.terms.attempts > 1 && step.repeat !== "never" ? repeated(step, context, next) : once(step, context, next);

async function once<T>(step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  const outcome = await next(step, context);
  if (isAttemptFailure(outcome)) keep(step, context, outcome.error, context.attempt);
  return outcome;
}

// p-retry counts and loops; it gets no signal (it would throw a paid result away) and no delay (it has none to choose from outside).
async function repeated<T>(step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  try {
    // Most steps go well at once, and owe nothing to the machinery of trying again.
    const first = await next(step, context);
    return isAttemptFailure(first) ? await tryAgain(step, context, next, first) : first;
  } catch (thrown) {
    if (!(thrown instanceof AttemptFailed)) return failed(toAgentError(thrown, "internal_error", `A layer inside ${step.key} threw.`));
    if (!thrown.kept) keep(step, context, thrown.failure, thrown.attempt);
    return thrown.answer;
  }
}

function tryAgain<T>(step: Step<T>, context: StepContext, next: Next, first: Failed): Promise<Outcome<T>> {
  const attemptOnce = async (nth: number) => {
    if (nth === 1) throw new AttemptFailed(first, context.attempt);
    const attempt = context.attempt + nth - 1;
    if (context.signal.aborted) return stoppedBySignal(context.signal);
    if (context.parking.requested) return failed(parkedError());
    const outcome = await next(step, { ...context, attempt });
    if (isAttemptFailure(outcome)) throw new AttemptFailed(outcome, attempt);
    return outcome;
  };
  return pRetry(attemptOnce, {
    retries: step.terms.attempts - 1,
    minTimeout: 0,
    shouldRetry: ({ error, attemptNumber }) => error instanceof AttemptFailed && waited(step, context, error, attemptNumber),
  });
}

/** True when an attempt began and failed: what never began, because of an open breaker or a broken journal, is no attempt. */
function isAttemptFailure(outcome: Outcome<unknown>): outcome is Failed {
  if (outcome.status !== "failed") return false;
  const { code } = outcome.error;
  return code !== "circuit_open" && !isOfThePass(code);
}

/** Waits for the next attempt's time. False when there is to be no next attempt; then `last.answer` says what the step ends with. */
async function waited<T>(step: Step<T>, context: StepContext, last: AttemptFailed, nth: number): Promise<boolean> {
  const { failure, attempt } = last;
  const { clock, signal, trace } = context;
  if (!failure.retryable || step.mayRepeat?.() === false) return false;
  if (context.parking.requested) return park(last);
  if (!signal.aborted) {
    const now = clock.now();
    const retryAt = retryTime(step, context, last, nth, now);
    if (retryAt === undefined) return false;
    keep(step, context, failure, attempt, retryAt);
    last.kept = true;
    trace.event(spanEvents.retry, { attempt, delay_ms: retryAt - now, reason: failure.code });
    if (await sleep(clock, retryAt - now, signal)) return true;
  }
  last.answer = stoppedBySignal(signal);
  return false;
}

/** No wait is begun that another worker could sit out: the run is left where it stands. */
function park(last: AttemptFailed): false {
  last.answer = failed(parkedError());
  return false;
}

/** When to try again; undefined when that would not be before the deadline. */
function retryTime<T>(step: Step<T>, context: StepContext, last: AttemptFailed, nth: number, now: number): number | undefined {
  const { run, deadlineAt } = context;
  const random = randomAt(`${run.id}/${step.key}/${last.attempt}`);
  const askedAt = askedTime(last.failure, now);
  if (askedAt === undefined) {
    const { baseMs = retryDefaults.baseMs, maxMs = retryDefaults.maxMs } = step.terms;
    const at = now + Math.floor(random * Math.min(maxMs, baseMs * 2 ** Math.min(nth - 1, 30)));
    return at < deadlineAt ? at : undefined;
  }
  const { longestWaitMs = Number.POSITIVE_INFINITY } = step.terms;
  if (askedAt < deadlineAt && askedAt - now <= longestWaitMs)
    return askedAt + Math.floor(random * Math.min(spread * (askedAt - now), deadlineAt - askedAt));
  last.answer = failed(withRetryAt(last.failure, askedAt));
  return undefined;
}

/** The time the other side asked us to wait for; of two the later. Undefined when absent, past or not a number. */
function askedTime({ details: { retryAt, retryAfterMs } }: AgentError, now: number): number | undefined {
  const asked = [Number(retryAt), now + Number(retryAfterMs)].filter((time) => Number.isFinite(time) && time > now);
  return asked.length > 0 ? Math.ceil(Math.max(...asked)) : undefined;
}

function withRetryAt(error: AgentError, retryAt: number): AgentError {
  const { code, message, cause, details, retryable, hint } = error;
  return new AgentError(code, message, { ...(cause === undefined ? {} : { cause }), details: { ...details, retryAt }, retryable, hint });
}

/** Holds the attempt's failure for the journal; with `retryAt` when another attempt follows. */
function keep<T>(step: Step<T>, { journal, clock, ledger, acts }: StepContext, failure: AgentError, attempt: number, retryAt?: number) {
  const again = retryAt === undefined ? {} : { retryAt };
  const { key, kind, name } = step;
  const cause = causeOf(failure);
  const usage = step.takeSpent?.();
  const cost = ledger.takeCharge(key);
  acts.failed({ key, attempt }, failure);
  journal.hold({
    type: "attempt.failed",
    at: clock.now(),
    key,
    kind,
    name,
    attempt,
    error: storeError(failure),
    ...(cause === undefined ? {} : { cause }),
    ...again,
    ...(usage ? { usage } : {}),
    ...(cost ? { cost } : {}),
  });
}

/** Name and message of what was thrown, cut to what a person reads. What was thrown may be anything, and may itself throw when looked at. */
function causeOf({ cause }: AgentError): string | undefined {
  if (cause === undefined) return undefined;
  try {
    return (cause instanceof Error ? `${cause.name}: ${cause.message}` : `thrown: ${typeof cause}`).slice(0, 500);
  } catch {
    return "thrown: something that cannot be looked at";
  }
}
