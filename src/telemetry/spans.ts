// The layers that open spans: one per stage, per executed step, and per attempt where there was more than one or it failed.
import type { AgentError } from "../core/errors.ts";
import type { Outcome } from "../core/outcome.ts";
import type { StageLayer } from "../core/run.ts";
import type { Layer, Next, Step, StepContext } from "../core/step.ts";
import { noTrace } from "../core/trace.ts";
import { attemptAttributes, attemptSpanName, errorAttributes, stageAttributes, stageSpanName } from "./attributes.ts";

/** A span for the step with all its attempts: an error that a retry made good leaves no mark on it. */
export const traced: Layer = (step, context, next) => (context.trace === noTrace ? next(step, context) : inSpan(step, context, next));

async function inSpan<T>(step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  const { name, kind, attributes, ofValue } = step.span();
  const span = context.trace.child(name, kind, attributes);
  const outcome = await next(step, { ...context, trace: span });
  if (outcome.status === "done" && ofValue) span.set(ofValue(outcome.value));
  span.end(errorOf(outcome));
  return outcome;
}

/** A span for an attempt after the first, and, in hindsight, for a first one that failed. */
export const attempted: Layer = (step, context, next) => (context.trace === noTrace ? next(step, context) : inAttempt(step, context, next));

async function inAttempt<T>(step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  const { trace, attempt, clock } = context;
  const attributes = attemptAttributes(attempt, step.terms.attempts);
  if (attempt > 1) {
    const span = trace.child(attemptSpanName(attempt), "internal", attributes);
    const outcome = await span.within(() => next(step, { ...context, trace: span }));
    span.end(errorOf(outcome));
    return outcome;
  }
  const startedAt = clock.now();
  const outcome = await trace.within(() => next(step, context));
  const error = errorOf(outcome);
  if (error) trace.child(attemptSpanName(1), "internal", attributes, startedAt).end(error);
  return outcome;
}

/** A span for a stage; what it does in there nests below. A refusal is an outcome, not an error of the stage. */
export const stageTraced: StageLayer = (stage, context, work) =>
  context.trace === noTrace ? work(context) : inStageSpan(stage, context, work);

const inStageSpan: StageLayer = async (stage, context, work) => {
  const span = context.trace.child(stageSpanName(stage.name), "internal", stageAttributes(stage.key));
  const outcome = await work({ ...context, trace: span });
  const error = errorOf(outcome);
  if (error && outcome.status === "refused") span.set(errorAttributes(error));
  span.end(outcome.status === "failed" ? error : undefined);
  return outcome;
};

/** The error that makes a span an error. Refusals of policy carry their type without being one. */
function errorOf(outcome: Outcome<unknown>): AgentError | undefined {
  return outcome.status === "failed" || outcome.status === "refused" || outcome.status === "halted" ? outcome.error : undefined;
}
