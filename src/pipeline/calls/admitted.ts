// The layer that lets a step decide for itself whether and how it is done, and finish its answer.
import type { Layer } from "../../core/step.ts";

/** Inside the journal and the halt, outside everything that is done: what a gate refuses is recorded, and nothing was tried. */
export const admitted: Layer = (step, context, next) => (step.gate ? step.gate(context, next) : next(step, context));
