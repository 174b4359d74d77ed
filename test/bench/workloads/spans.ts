// The ten-step loop with a tracer provider registered: what every span costs when somebody records them.
import { context, SpanKind, trace } from "@opentelemetry/api";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import type { Model, ModelContext, ModelRequest } from "airworthy";
import { loopByHand } from "../loop-by-hand.ts";
import { best, interleaved, type Workload } from "../measure.ts";
import { addOne, agentOf, countingModel, oneByOne } from "../scripted-replies.ts";

const steps = 10;

/** Takes every span and keeps none: what an exporter does with them is no part of this. */
const taking = { onStart: () => {}, onEnd: () => {}, forceFlush: () => Promise.resolve(), shutdown: () => Promise.resolve() };

/** The three spans of the conventions, opened by hand around the same loop. */
function tracedByHand(model: Model) {
  const tracer = trace.getTracer("by-hand");
  const spanned = <T>(name: string, kind: SpanKind, operation: string, work: () => T | Promise<T>) =>
    tracer.startActiveSpan(name, { kind, attributes: { "gen_ai.operation.name": operation } }, async (span) => {
      const value = await work();
      span.end();
      return value;
    });
  const asked: Model = {
    ...model,
    call: (request: ModelRequest, how: ModelContext) => spanned("chat scripted", SpanKind.CLIENT, "chat", () => model.call(request, how)),
  };
  const execute = (input: { readonly n: number }) => spanned("execute_tool add", SpanKind.INTERNAL, "execute_tool", () => addOne(input));
  return () => spanned("invoke_agent bench", SpanKind.INTERNAL, "invoke_agent", () => loopByHand(asked, execute));
}

export const spans: Workload = {
  name: "spans",
  measure: async (effort) => {
    const provider = new NodeTracerProvider({ spanProcessors: [taking] });
    provider.register();
    try {
      const model = countingModel(steps);
      const agent = agentOf(model);
      const times = await interleaved(
        effort,
        200,
        oneByOne(() => agent.run("go")),
        oneByOne(tracedByHand(model)),
      );
      const unit = "us per step";
      return [
        {
          what: "10-step tool loop with spans recorded",
          unit,
          ours: best(times.ours) / steps,
          byHand: best(times.byHand) / steps,
          aim: 35,
        },
      ];
    } finally {
      await provider.shutdown();
      trace.disable();
      context.disable();
    }
  },
};
