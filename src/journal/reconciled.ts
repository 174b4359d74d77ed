// The layer for acts that must not be repeated: when nobody knows whether one happened it is looked up, and never guessed or done again.

import { AgentError } from "../core/errors.ts";
import { failed, type Outcome, suspended } from "../core/outcome.ts";
import type { Layer, Next, Reconciled, Step, StepContext } from "../core/step.ts";
import { withinTime } from "../core/waiting.ts";
import { sameInput } from "./recording.ts";

/**
 * Outside retries and breaker, so that these see the silence itself; inside the gate, so that what is found out is finished as usual.
 * An act under one key may be repeated, so it is looked up only when its attempts are used up.
 */
export const reconciled: Layer = (step, context, next) => (step.repeat === "freely" ? next(step, context) : act(step, context, next));

async function act<T>(step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  // Begun by an earlier pass, and never heard of again. What may go again under its key is looked up only when it is not to go again.
  if (context.journal.tried(step.key) > 0 && (step.repeat === "never" || step.refusal)) {
    const word = await lookUp(step, context);
    if (word === "unknown") return inDoubt(step);
    if (word !== "not-done") return word;
    if (step.refusal) return failed(step.refusal);
  }
  const outcome = await next(step, context);
  if (outcome.status !== "failed" || !endedInSilence(outcome.error)) return outcome;
  const word = await lookUp(step, context);
  if (word === "unknown") return step.repeat === "never" ? inDoubt(step) : outcome;
  return word === "not-done" ? failed(notDone(outcome.error)) : word;
}

async function lookUp<T>(step: Step<T>, context: StepContext): Promise<Reconciled<T>> {
  // Known before it is asked: what ends while it is looked up may have taken effect after the look.
  const alive = mayStillBe(step, context);
  const word = await ask(step, context);
  return word === "not-done" && alive ? "unknown" : word;
}

/**
 * "Not done" is no last word while an attempt that was left behind may still do it, nor when it was said of another input than the one that
 * was sent.
 */
function mayStillBe<T>(step: Step<T>, { journal }: StepContext): boolean {
  const past = journal.find(step.key);
  return journal.leftBehind(step.key) || (past !== undefined && past.attempt > 0 && !sameInput(step, past));
}

const inDoubt = <T>({ key, name }: Step<T>) => suspended([{ kind: "in-doubt", key, tool: name }]);

/** A time-out or a lost connection is no word on whether the act happened; a failure is. */
const endedInSilence = ({ code, details }: AgentError) => code === "tool_timeout" || code === "step_timeout" || details["silent"] === true;

const notDone = ({ code, message, cause, details }: AgentError) =>
  new AgentError(code, `${message} It was looked up: nothing was done.`, {
    cause,
    details: { ...details, notDone: true },
    retryable: false,
    hint: "Nothing was done. Try another way, or say that this could not be done.",
  });

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
