// Where spans go, as a port: core knows that work can be traced, telemetry/ knows how.
import type { AgentError } from "./errors.ts";
import type { StepKind } from "./journal.ts";

export type AttributeValue = string | number | boolean | string[];
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

/** Names of span events, for layers that know nothing of telemetry. */
export const spanEvents = {
  retry: "airworthy.retry",
  breaker: "airworthy.breaker",
  breakerRejected: "airworthy.breaker.rejected",
  guardrail: "airworthy.guardrail.result",
  fallback: "airworthy.fallback",
  budgetNear: "airworthy.budget.near",
  budgetOverrun: "airworthy.budget.overrun",
} as const;

/** What a step has cost: `llm.cost.total` is the key that backends read, and is set on calls of models only, for they add it up. */
export const costAttributes = (kind: StepKind, usd: number, source: string): Attributes => ({
  ...runCostAttributes(usd),
  "airworthy.cost.source": source,
  "llm.cost.total": kind === "model" ? usd : undefined,
});

export const runCostAttributes = (usd: number): Attributes => ({ "airworthy.cost.amount": usd, "airworthy.cost.currency": "USD" });

/** What a span is to be called and carry; `ofValue` adds what is known once the work is done. Never content. */
export interface SpanSpec<T = unknown> {
  readonly name: string;
  readonly kind: "internal" | "client";
  readonly attributes: Attributes;
  readonly ofValue?: (value: T) => Attributes;
}

/** One open span, or the absence of one. Parents are handed on explicitly; nothing depends on the async context. */
export interface Trace {
  readonly traceId: string | undefined;
  /** A span below this one; `startedAt` (epoch ms) when it began earlier. */
  child(name: string, kind: "internal" | "client", attributes: Attributes, startedAt?: number): Trace;
  event(name: string, attributes: Attributes): void;
  set(attributes: Attributes): void;
  /** Runs `work` with this span as the active one, so that spans of other libraries nest below it. */
  within<T>(work: () => T): T;
  /** Ends the span; with an error its status is ERROR. A second call does nothing. */
  end(error?: AgentError): void;
}

/** Used when no telemetry is set up. */
export const noTrace: Trace = {
  traceId: undefined,
  child: () => noTrace,
  event: () => {},
  set: () => {},
  within: (work) => work(),
  end: () => {},
};
