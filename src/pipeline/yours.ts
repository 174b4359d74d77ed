// The user's middleware: once per executed stage or step, outside retries. It may answer, but not undo a refusal, pause, halt or cancel.
import { AgentError } from "../core/errors.ts";
import type { Middleware, ModelCall, ToolCallInfo } from "../core/middleware.ts";
import type { ModelResponse } from "../core/model.ts";
import { failed, isInterruption, isOutcome, type Outcome } from "../core/outcome.ts";
import type { StageLayer } from "../core/run.ts";
import type { Layer, Next, Step, StepContext } from "../core/step.ts";
import type { ToolResult } from "../core/tool.ts";

/** The layer: runs the step's own `wrap`, which ask and tool-call take from the agent's middleware. */
export const yours: Layer = (step, context, next) => (step.wrap ? wrapped(step, step.wrap, context, next) : next(step, context));

async function wrapped<T>(step: Step<T>, wrap: NonNullable<Step<T>["wrap"]>, context: StepContext, next: Next): Promise<Outcome<T>> {
  const seen: { inner?: Promise<Outcome<T>>; over: boolean } = { over: false };
  // Asked twice, it answers twice and performs once; asked after the answer was given, it performs nothing any more.
  const inner = () => (seen.inner ??= seen.over ? Promise.resolve(brokenBy("asked for the step after answering it")) : next(step, context));
  const answered = await guarded(() => wrap(inner));
  seen.over = true;
  const real = await seen.inner;
  return real && isInterruption(real) ? real : answered;
}

const brokenBy = (what: string, cause?: unknown) => failed(new AgentError("middleware_failed", `A middleware ${what}.`, { cause }));

async function guarded<T>(wrap: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    const answered = await wrap();
    return isOutcome(answered) ? answered : brokenBy("answered no outcome");
  } catch (thrown) {
    return brokenBy("threw", thrown);
  }
}

type Wrap<Call, T> = (call: Call, next: () => Promise<Outcome<T>>) => Promise<Outcome<T>>;

/** The agent's middleware by what it stands around, outermost first. */
export interface Around {
  readonly model: readonly Wrap<ModelCall, ModelResponse>[];
  readonly tool: readonly Wrap<ToolCallInfo, ToolResult>[];
}

export const aroundOf = (middleware: readonly Middleware[]): Around => ({
  model: middleware.flatMap(({ model }) => (model ? [model] : [])),
  tool: middleware.flatMap(({ tool }) => (tool ? [tool] : [])),
});

/** What a step carries so that middleware is run around it; nothing when there is none. */
export function wrapIn<Call, T>(around: readonly Wrap<Call, T>[], call: Call, isValue: (value: unknown) => boolean): Pick<Step<T>, "wrap"> {
  if (around.length === 0) return {};
  return {
    wrap: async (next) => {
      const answered = await around.reduceRight<() => Promise<Outcome<T>>>((inner, wrap) => () => wrap(call, inner), next)();
      return isOutcome(answered) && answered.status === "done" && !isValue(answered.value) ? brokenBy("answered something else") : answered;
    },
  };
}

/** Around stages it observes: the stage's outcome stands, unless the middleware itself throws. */
export function stageYours(middleware: readonly Middleware[]): StageLayer {
  const hooks = middleware.flatMap(({ stage }) => (stage ? [stage] : []));
  if (hooks.length === 0) return (_stage, context, work) => work(context);
  return async (stage, context, work) => {
    const seen: { outcome?: ReturnType<typeof work> } = {};
    const inner = () => (seen.outcome ??= work(context));
    const nested = hooks.reduceRight<() => Promise<unknown>>((next, hook) => () => hook(stage, () => next().then(inner)), inner);
    try {
      await nested();
    } catch (thrown) {
      const outcome = await seen.outcome;
      if (outcome && isInterruption(outcome)) return outcome;
      return failed(new AgentError("middleware_failed", `A middleware around ${stage.name} threw.`, { cause: thrown }));
    }
    return inner();
  };
}
