// A step is the only way the outside world is touched; the layers around it are policies as values, composed once per kind of step.
import type { Act, Acts } from "./act.ts";
import type { Clock } from "./clock.ts";
import type { Reserved } from "./cost.ts";
import { type AgentError, type ErrorCode, toAgentError } from "./errors.ts";
import type { RunEvent } from "./events.ts";
import type { RunFacts } from "./facts.ts";
import type { RunJournal, StepKind } from "./journal.ts";
import type { Json } from "./json.ts";
import type { Ledger, StepCost } from "./ledger.ts";
import { failed, type Outcome } from "./outcome.ts";
import type { ChildUsage } from "./result.ts";
import type { SpanSpec, Trace } from "./trace.ts";
import type { Usage } from "./usage.ts";

/** How a step is retried when nothing else is said: tries in all, first and longest back-off in milliseconds. */
export const retryDefaults = { attempts: 3, baseMs: 500, maxMs: 8_000 } as const;

/** What a crash between "begun" and "done" allows: again at will, again under the same key, or not at all. */
export type Repeat = "freely" | "with-same-key" | "never";

/** What the resilience layers need to know about a step. Times in milliseconds. */
export interface Terms {
  /** How often it may be tried in all; 1 = no retry. */
  readonly attempts: number;
  /** First back-off, doubled each time; the wait is random between 0 and that. Default `retryDefaults`. */
  readonly baseMs?: number;
  /** Longest back-off; a wait the other side asks for may be longer. */
  readonly maxMs?: number;
  /** A wait the other side asks for is not begun when it is longer: the failure is the answer. Absent = as long as there is time. */
  readonly longestWaitMs?: number;
  /** Per attempt; 0 = none. */
  readonly timeoutMs: number;
  /** How long aborted work may take to settle before it is left behind; absent = 20. */
  readonly graceMs?: number;
  /** From the beginning of an attempt to its first sign of progress; absent or 0 = none. */
  readonly firstTokenMs?: number;
  /** Between two signs of progress; absent or 0 = none. */
  readonly idleMs?: number;
  /** Steps with the same key share one circuit breaker; absent = no breaker. */
  readonly breaker?: string;
}

export interface StepFacts {
  readonly usage?: Usage | undefined;
  readonly code?: ErrorCode | undefined;
}

/** What reconciling an act of unknown outcome found out. */
export type Reconciled<T> = Outcome<T> | "not-done" | "unknown";

export interface Step<T> {
  readonly kind: StepKind;
  /** Unique within the run: a path such as `turn-3/tool/2`. */
  readonly key: string;
  /** Model id or tool name. */
  readonly name: string;
  /** What is recorded and compared on a second pass; only what is new. */
  readonly input: Json;
  readonly repeat: Repeat;
  readonly terms: Terms;
  /** Asked for only when somebody records spans. */
  readonly span: () => SpanSpec<T>;
  /** What of the value is worth an own field in the journal. */
  readonly facts?: (value: T) => StepFacts;
  /** What the attempt that has just failed or been given up is known to have used; asked once each. */
  readonly takeSpent?: () => Usage | undefined;
  /** What its attempts cost; absent = nothing. No attempt is made that a budget cannot afford. */
  readonly cost?: StepCost<T>;
  /** What it counts as under limits of effects; absent = nothing. */
  readonly act?: Act;
  /** What the run that it started has used so far, if it started one. */
  readonly child?: () => ChildUsage | undefined;
  /** Asked before another attempt: false when what this one did cannot be taken back. */
  readonly mayRepeat?: () => boolean;
  /** One attempt. What it throws becomes a failed outcome. */
  readonly perform: (context: StepContext) => Promise<Outcome<T>>;
  /** Decides before anything is tried whether and how (validation, permissions, guardrails), and finishes the answer on the way out. */
  readonly gate?: (context: StepContext, next: Next) => Promise<Outcome<T>>;
  /** The user's middleware around this step; once per executed step. */
  readonly wrap?: (next: () => Promise<Outcome<T>>) => Promise<Outcome<T>>;
  /** It is not to be tried any more: what an earlier pass began of it is looked up, and this is its answer when nothing was done. */
  readonly refusal?: AgentError;
  /** Finds out whether an act that ended in silence happened. */
  readonly reconcile?: (context: StepContext) => Promise<Reconciled<T>>;
}

/** What a step may use while it is performed. Layers hand on changed copies, never change it. */
export interface StepContext {
  readonly run: RunFacts;
  readonly clock: Clock;
  readonly journal: RunJournal;
  readonly ledger: Ledger;
  readonly acts: Acts;
  /** What was set aside for the attempt in hand; absent when no budget covers it. */
  readonly reserved?: Reserved;
  /** Epoch ms at which the whole run has to be over. */
  readonly deadlineAt: number;
  /** Once it is requested nothing more is begun in this pass: the run is left for another worker. */
  readonly parking: { readonly requested: boolean };
  /** Aborted on cancel, halt, total deadline and the attempt's own time-out; its reason is an `AgentError`. */
  readonly signal: AbortSignal;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly trace: Trace;
  readonly emit: (event: RunEvent) => void;
  /** To be called when the attempt in hand has got further: what is silent for too long is given up. */
  readonly progress: () => void;
}

export type Next = <T>(step: Step<T>, context: StepContext) => Promise<Outcome<T>>;

/** May answer itself, change the context, call `next` several times (that is what retry is). Never throws. */
export type Layer = <T>(step: Step<T>, context: StepContext, next: Next) => Promise<Outcome<T>>;

/** First layer is outermost; the innermost performs the step and turns what it throws into an outcome. */
export function onion(layers: readonly Layer[]): Next {
  return layers.reduceRight<Next>((next, layer) => (step, context) => layer(step, context, next), performed);
}

const performed: Next = async (step, context) => {
  try {
    return await step.perform(context);
  } catch (thrown) {
    return failed(toAgentError(thrown, "internal_error", `The step ${step.key} threw.`));
  }
};
