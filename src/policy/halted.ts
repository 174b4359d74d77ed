// The layer that is asked before anything else: whether the run may still start something.
import { AgentError } from "../core/errors.ts";
import { failed, parkedError, stoppedBy, stoppedBySignal } from "../core/outcome.ts";
import type { Layer } from "../core/step.ts";

/** Asked before anything else: a run that was cancelled or halted, is out of time or to be parked starts nothing more. */
export const halted: Layer = (step, context, next) => {
  const { signal, clock, deadlineAt } = context;
  if (signal.aborted) return Promise.resolve(stoppedBySignal(signal));
  if (clock.now() >= deadlineAt) return Promise.resolve(stoppedBy(new AgentError("deadline_exceeded", "The run's time was up.")));
  if (context.parking.requested) return Promise.resolve(failed(parkedError()));
  return next(step, context);
};
