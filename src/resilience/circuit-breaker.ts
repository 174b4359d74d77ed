// Owns the circuit breakers of one agent: while a target is failing it is left alone, and one trial at a time finds out when it is back.
import type { Clock } from "../core/clock.ts";
import { AgentError, type ErrorCode } from "../core/errors.ts";
import { failed, type Outcome } from "../core/outcome.ts";
import type { Layer } from "../core/step.ts";
import { spanEvents } from "../core/trace.ts";
import { type Circuit, createCircuit } from "./circuit.ts";

/** When a breaker opens and for how long. Counts per breaker key, times in milliseconds. */
export interface BreakerOptions {
  /** How many failures open it. */
  readonly failures: number;
  /** With it: `failures` of `of` or worse, once `of` results are in. Without: `failures` in the window, whatever went well. */
  readonly of?: number;
  /** The window results are counted in; it moves in tenths. */
  readonly withinMs: number;
  /** How long an open breaker lets nothing through; then one trial decides. */
  readonly resetMs: number;
}

export const breakerDefaults: BreakerOptions = { failures: 5, of: 10, withinMs: 60_000, resetMs: 30_000 };

export interface BreakerState {
  readonly key: string;
  readonly state: "closed" | "open" | "half-open";
  /** Epoch ms; absent when closed. */
  readonly openedAt?: number;
}

export interface CircuitBreakers {
  /** Per attempt: asks the breaker of `step.terms.breaker`; an open one answers `circuit_open` with `retryAt`, and nothing is touched. */
  readonly layer: Layer;
  /** Every breaker there is, oldest first. */
  readonly states: () => readonly BreakerState[];
}

/** Breakers for one agent, made as their keys turn up. Throws `configuration_invalid`. */
export function createCircuitBreakers(options: BreakerOptions, clock: Clock): CircuitBreakers {
  checkOptions(options);
  const breakers = new Map<string, Breaker>();
  let uses = 0;
  const breakerOf = (key: string) => {
    let breaker = breakers.get(key);
    if (!breaker) {
      if (breakers.size >= mostBreakers) forgetOne(breakers);
      breaker = createBreaker(key, options, clock);
      breakers.set(key, breaker);
    }
    breaker.lastUse = ++uses;
    return breaker;
  };
  return {
    layer: (step, context, next) => {
      const name = step.terms.breaker;
      if (name === undefined) return next(step, context);
      const breaker = breakerOf(name);
      const admitted = breaker.admit(step.terms.timeoutMs);
      if (typeof admitted === "number") {
        context.trace.event(spanEvents.breakerRejected, { name });
        return Promise.resolve(failed(circuitOpen(name, admitted)));
      }
      return next(step, context).then((outcome) => {
        const state = breaker.settle(admitted, outcome);
        if (state) context.trace.event(spanEvents.breaker, { name, state });
        return outcome;
      });
    },
    states: () => [...breakers.values()].map((breaker) => breaker.state()),
  };
}

const failureCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "provider_unavailable",
  "step_timeout",
  "first_token_timeout",
  "idle_timeout",
  "tool_timeout",
  "model_response_invalid",
  "stream_interrupted",
]);

/**
 * What an outcome says about the health of its target. Neutral, so neither counted nor able to end a trial: what is the caller's doing
 * (bad requests, cancels, refusals), what has a time of its own to come back (rate limits), and what a tool says on purpose.
 */
export function verdictOf(outcome: Outcome<unknown>): "success" | "failure" | "neutral" {
  if (outcome.status === "done") return "success";
  if (outcome.status !== "failed") return "neutral";
  const { code, details, retryable } = outcome.error;
  if (code === "tool_failed") return details["told"] === true && !retryable ? "neutral" : "failure";
  return failureCodes.has(code) ? "failure" : "neutral";
}

/** Where a breaker stands; an attempt counts only in the very phase that admitted it. A half-open phase is one trial. */
type Phase =
  | { readonly state: "closed"; readonly circuit: Circuit }
  | { readonly state: "half-open"; readonly circuit: Circuit; readonly openedAt: number; trialUntil: number }
  | { readonly state: "open"; openedAt: number };
type Admitting = Exclude<Phase, { state: "open" }>;

interface Breaker {
  /** Grows from use to use, over all breakers. */
  lastUse: number;
  /** The phase an attempt may be made in, or the time to come back at. */
  admit(timeoutMs: number): Admitting | number;
  /** Counts what came of an admitted attempt; answers the new state when that changed it. */
  settle(admitted: Admitting, outcome: Outcome<unknown>): "open" | "closed" | undefined;
  state(): BreakerState;
}

function createBreaker(key: string, options: BreakerOptions, clock: Clock): Breaker {
  const { withinMs, resetMs } = options;
  const circuit = (state: "closed" | "half-open") => createCircuit(key, withinMs, clock.now(), state);
  let phase: Phase = { state: "closed", circuit: circuit("closed") };
  return {
    lastUse: 0,
    admit(timeoutMs) {
      if (phase.state === "closed") return phase;
      const now = clock.now();
      if (phase.state === "half-open") {
        if (now < phase.trialUntil) return Math.min(phase.trialUntil, now + Math.ceil(resetMs / 10));
      } else {
        // A machine's clock may be set back; no breaker stays open for longer because of it.
        phase.openedAt = Math.min(phase.openedAt, now);
        if (now < phase.openedAt + resetMs) return phase.openedAt + resetMs;
      }
      phase = { state: "half-open", circuit: circuit("half-open"), openedAt: phase.openedAt, trialUntil: now + resetMs + timeoutMs };
      return phase;
    },
    settle(admitted, outcome) {
      if (phase !== admitted) return undefined;
      if (verdictOf(outcome) === "neutral") {
        if (admitted.state === "half-open") admitted.trialUntil = 0;
        return undefined;
      }
      admitted.circuit.count(outcome.status === "failed" ? outcome.error : undefined, clock.now());
      const opens = admitted.state === "closed" ? isTripped(admitted.circuit, options) : !admitted.circuit.closed;
      if (admitted.state === "closed" && !opens) return undefined;
      admitted.circuit.shutdown();
      phase = opens ? { state: "open", openedAt: clock.now() } : { state: "closed", circuit: circuit("closed") };
      return phase.state;
    },
    state() {
      if (phase.state === "closed") return { key, state: "closed" };
      const due = phase.state === "half-open" || clock.now() >= phase.openedAt + resetMs;
      return { key, state: due ? "half-open" : "open", openedAt: phase.openedAt };
    },
  };
}

function isTripped(circuit: Circuit, { failures: most, of }: BreakerOptions): boolean {
  const { failures, successes } = circuit.tally();
  if (of === undefined) return failures >= most;
  const counted = failures + successes;
  return counted >= of && failures * of >= most * counted;
}

/** Keys are model ids and tool names; should somebody make them up as they go, the longest unused of the closed ones is forgotten. */
const mostBreakers = 1_000;

function forgetOne(breakers: Map<string, Breaker>) {
  let oldest: readonly [string, Breaker] | undefined;
  for (const entry of breakers) {
    const [, breaker] = entry;
    if (breaker.state().state === "closed" && (!oldest || breaker.lastUse < oldest[1].lastUse)) oldest = entry;
  }
  if (oldest) breakers.delete(oldest[0]);
}

const circuitOpen = (breaker: string, retryAt: number) =>
  new AgentError("circuit_open", `${breaker} has been failing and is left alone for now.`, { details: { breaker, retryAt } });

function checkOptions({ failures, of = failures, withinMs, resetMs }: BreakerOptions) {
  const whole = [failures, of].every((count) => Number.isInteger(count) && count > 0);
  const finite = [withinMs, resetMs].every((ms) => Number.isFinite(ms) && ms > 0);
  if (whole && of >= failures && finite) return;
  throw new AgentError(
    "configuration_invalid",
    "A circuit breaker needs whole numbers `failures` and, if given, `of`, which is not less, and positive `withinMs` and `resetMs`.",
  );
}
