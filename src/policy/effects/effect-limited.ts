// The layer that counts acts: a place is held under every limit before a call is made, and what became of it is written with how it ended.
import type { Act } from "../../core/act.ts";
import type { AgentError } from "../../core/errors.ts";
import type { PlaceEnd } from "../../core/journal.ts";
import { failed, type Outcome, stoppedBySignal } from "../../core/outcome.ts";
import type { Layer, Next, Step, StepContext } from "../../core/step.ts";
import { withinTime } from "../../core/waiting.ts";

/**
 * Once a call, outside retries and look-ups: attempts at one act are one act. Inside the gate, which knows the arguments, and inside
 * middleware, whose own answer is no act. A refusal is `effect_limit`, and nothing was tried.
 */
export const effectLimited: Layer = (step, context, next) => {
  const { act } = step;
  return act && context.acts.covers(step.key, act) ? limited(step, act, context, next) : next(step, context);
};

async function limited<T>(step: Step<T>, act: Act, context: StepContext, next: Next): Promise<Outcome<T>> {
  const { acts, journal, signal } = context;
  const answer = await setAside(step.key, act, context);
  if (!answer || signal.aborted) {
    giveBack(step.key, context);
    return stoppedBySignal(signal);
  }
  const { error } = answer;
  // Begun before there was such a limit: it is looked up all the same, and not begun again.
  const isBegun = step.repeat !== "freely" && journal.tried(step.key) > 0;
  if (error && !isBegun) return failed(error);
  const outcome = await next(error ? { ...step, refusal: step.refusal ?? error } : step, context);
  if (journal.tried(step.key) === 0) acts.release(step.key);
  else acts.ended(step.key, endOf(step, outcome, context));
  return outcome;
}

interface Answered {
  readonly error: AgentError | undefined;
}

/** A store that does not answer holds nobody past the end of the run; what it grants later is given back. */
async function setAside(key: string, act: Act, context: StepContext): Promise<Answered | undefined> {
  const asking = context.acts.reserve(key, act).then((error): Answered => ({ error }));
  const answer = await withinTime(context.clock, 0, context.signal, () => asking);
  if (!answer) void asking.then(() => giveBack(key, context));
  return answer;
}

/** What was begun at any time may have happened. */
function giveBack(key: string, { acts, journal }: StepContext) {
  if (journal.tried(key) === 0) acts.release(key);
}

/** Surely not done: it was looked up, or every attempt at it has said so. An agent that was asked may have acted, whatever it came to. */
function endOf<T>(step: Step<T>, outcome: Outcome<T>, { acts, journal }: StepContext): PlaceEnd {
  if (outcome.status === "done") return "used";
  if (outcome.status === "failed" && (outcome.error === step.refusal || outcome.error.details["notDone"] === true)) return "released";
  if (step.child?.() !== undefined) return "used";
  const last = journal.tried(step.key);
  // One that must not be repeated is begun again only when it is known that nothing was done before.
  return acts.allFailed(step.key, step.repeat === "never" ? last : 1, last) ? "released" : "used";
}
