// The layers that say no before anything is tried: the run's own stop, and the step's own gate.
import { AgentError } from "../core/errors.ts";
import { stoppedBy, stoppedBySignal } from "../core/outcome.ts";
import type { Layer } from "../core/step.ts";

/** Asked before anything else: a run that was cancelled, halted or is out of time starts nothing more. */
export const halted: Layer = (step, context, next) => {
  const { signal, clock, deadlineAt } = context;
  if (signal.aborted) return Promise.resolve(stoppedBySignal(signal));
  if (clock.now() >= deadlineAt) return Promise.resolve(stoppedBy(new AgentError("deadline_exceeded", "The run's time was up.")));
  return next(step, context);
};

/** Lets the step decide whether and how it is done (arguments, permissions, guardrails), and finish its answer. */
export const admitted: Layer = (step, context, next) => (step.gate ? step.gate(context, next) : next(step, context));
