// The layer for acts that must not be repeated: when nobody knows whether one happened it is looked up, and never guessed or done again.

import { AgentError } from "../core/errors.ts";
import { failed, type Outcome, suspended } from "../core/outcome.ts";
import type { Layer, Next, Reconciled, Step, StepContext } from "../core/step.ts";
import { withinTime } from "../core/waiting.ts";

/** Outside retries and breaker, so that these see the silence itself; inside the gate, so that what is found out is finished as usual. */
export const reconciled: Layer = (step, context, next) => (step.repeat === "never" ? once(step, context, next) : next(step, context));

async function once<T>(step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  // Begun by an earlier pass, and never heard of again.
  const begunBefore = (context.journal.find(step.key)?.attempt ?? 0) > 0;
  const found = begunBefore ? await lookUp(step, context) : undefined;
  if (found) return found;
  const outcome = await next(step, context);
  if (outcome.status !== "failed" || !endedInSilence(outcome.error)) return outcome;
  return (await lookUp(step, context)) ?? failed(notDone(outcome.error));
}

/** A time-out or a lost connection is no word on whether the act happened; a failure is. */
const endedInSilence = ({ code, details }: AgentError) => code === "tool_timeout" || code === "step_timeout" || details["silent"] === true;

const notDone = ({ code, message, cause, details }: AgentError) =>
  new AgentError(code, `${message} It was looked up: nothing was done.`, {
    cause,
    details,
    retryable: false,
    hint: "Nothing was done. Try another way, or say that this could not be done.",
  });

/** What came of the act; undefined when it surely did not happen. Suspends the run while nobody can say. */
async function lookUp<T>(step: Step<T>, context: StepContext): Promise<Outcome<T> | undefined> {
  const word = await ask(step, context);
  if (word === "not-done") return undefined;
  return word === "unknown" ? suspended([{ kind: "in-doubt", key: step.key, tool: step.name }]) : word;
}

async function ask<T>(step: Step<T>, context: StepContext): Promise<Reconciled<T>> {
  const { reconcile, terms } = step;
  if (!reconcile) return "unknown";
  const { clock, signal } = context;
  try {
    return (await withinTime(clock, terms.timeoutMs, signal, (own) => reconcile({ ...context, signal: own }))) ?? "unknown";
  } catch {
    return "unknown";
  }
}
