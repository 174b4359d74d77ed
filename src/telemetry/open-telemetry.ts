// The trace port on OpenTelemetry's API: parents are handed on explicitly, and without a registered provider nothing is built.
import { type Context, context, isSpanContextValid, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from "@opentelemetry/api";
import { type AgentError, errorCodes } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import { noTrace, type Trace } from "../core/trace.ts";
import { errorAttributes, runAttributes, runSpanName } from "./attributes.ts";

/** The span of a whole run, below whatever span is active where the run was asked for. */
export function openRunTrace(run: RunFacts, resumed: boolean): Trace {
  const tracer = trace.getTracer("airworthy");
  const parent = context.active();
  const span = tracer.startSpan(runSpanName(run.agent), { kind: SpanKind.INTERNAL, attributes: runAttributes(run, resumed) }, parent);
  return isSpanContextValid(span.spanContext()) ? spanTrace(tracer, span, trace.setSpan(parent, span), () => {}) : noTrace;
}

const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT };

function spanTrace(tracer: Tracer, span: Span, own: Context, ended: () => void): Trace {
  let open = true;
  const children = new Set<Trace>();
  const self: Trace = {
    traceId: span.spanContext().traceId,
    child: (name, kind, attributes, startedAt) => {
      const child = tracer.startSpan(
        name,
        { kind: kinds[kind], attributes, ...(startedAt === undefined ? {} : { startTime: startedAt }) },
        own,
      );
      const below = spanTrace(tracer, child, trace.setSpan(own, child), () => children.delete(below));
      children.add(below);
      return below;
    },
    event: (name, attributes) => {
      span.addEvent(name, attributes);
    },
    set: (attributes) => {
      span.setAttributes(attributes);
    },
    within: (work) => context.with(own, work),
    end: (error) => {
      if (!open) return;
      open = false;
      // Whatever was left behind in here ends with it.
      for (const below of children) below.end();
      if (error) fail(span, error);
      span.end();
      ended();
    },
  };
  return self;
}

// What a tool or guardrail of the user's said may be content: the status is described in our words only.
function fail(span: Span, error: AgentError) {
  span.setAttributes(errorAttributes(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: errorCodes[error.code].hint });
}
