// The user's middleware: once per executed stage or step, outside retries. It may answer, but not undo a refusal, pause, halt or cancel.
import { AgentError } from "../core/errors.ts";
import type { Middleware, ModelCall, ToolCallInfo } from "../core/middleware.ts";
import type { ModelResponse } from "../core/model.ts";
import { failed, isInterruption, type Outcome } from "../core/outcome.ts";
import type { StageLayer } from "../core/run.ts";
import type { Layer, Step } from "../core/step.ts";
import type { ToolResult } from "../core/tool.ts";

/** The layer: runs the step's own `wrap`, which ask and tool-call take from the agent's middleware. */
export const yours: Layer = async (step, context, next) => {
  const { wrap } = step;
  if (!wrap) return next(step, context);
  const seen: { inner?: Promise<Awaited<ReturnType<typeof step.perform>>> } = {};
  // Asked twice, it answers twice and performs once.
  const inner = () => (seen.inner ??= next(step, context));
  const answered = await guarded(() => wrap(inner));
  const real = await seen.inner;
  return real && isInterruption(real) ? real : answered;
};

async function guarded<T>(wrap: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    const answered = await wrap();
    return isOutcome(answered) ? answered : failed(new AgentError("middleware_failed", "A middleware answered no outcome."));
  } catch (thrown) {
    return failed(new AgentError("middleware_failed", "A middleware threw.", { cause: thrown }));
  }
}

const isOutcome = (value: unknown) => typeof value === "object" && value !== null && "status" in value;

type Around<Call, T> = (call: Call, next: () => Promise<Outcome<T>>) => Promise<Outcome<T>>;

/** What a model step carries so that the agent's middleware is run around it; nothing when there is none. */
export const wrapModel = (middleware: readonly Middleware[], call: ModelCall): Pick<Step<ModelResponse>, "wrap"> =>
  wrapIn(
    middleware.flatMap(({ model }) => (model ? [model] : [])),
    call,
  );

/** The same for a tool step. */
export const wrapTool = (middleware: readonly Middleware[], call: ToolCallInfo): Pick<Step<ToolResult>, "wrap"> =>
  wrapIn(
    middleware.flatMap(({ tool }) => (tool ? [tool] : [])),
    call,
  );

function wrapIn<Call, T>(around: readonly Around<Call, T>[], call: Call): Pick<Step<T>, "wrap"> {
  if (around.length === 0) return {};
  return { wrap: (next) => around.reduceRight<() => Promise<Outcome<T>>>((inner, wrap) => () => wrap(call, inner), next)() };
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
