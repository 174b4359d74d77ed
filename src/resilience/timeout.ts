// Owns the time of one attempt: its clock, its signal, and what becomes of work that ignores both. A step settles soon after the abort.
import { AgentError, toAgentError } from "../core/errors.ts";
import { isJsonValue, type Json } from "../core/json.ts";
import { failed, type Outcome, type Stopped, stoppedBySignal, stopReason } from "../core/outcome.ts";
import type { Layer, Next, Step, StepContext } from "../core/step.ts";
import { type StallCode, watchForStall } from "./stall.ts";

/** How long aborted work may take to settle by itself before it is left behind. A run has to settle within 50 ms of an abort. */
const graceMs = 20;

/**
 * Per attempt: hands on a signal of its own, aborted after `step.terms.timeoutMs`, by a silence longer than the terms allow, or with the run. Work that is done within the grace
 * counts as done; work that ignores its signal is left behind, and its late result becomes a note and nothing else.
 */
export const timed: Layer = (step, context, next) =>
  context.signal.aborted ? Promise.resolve(stoppedBySignal(context.signal)) : limited(step, context, next);

// Callbacks instead of a race of promises: one controller, one listener, one timer, all gone when the attempt is over.
function limited<T>(step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  const { clock, signal } = context;
  const { timeoutMs } = step.terms;
  const controller = new AbortController();
  return new Promise((resolve) => {
    let state: "running" | "aborted" | "left" = "running";
    let answer: Stopped;
    const finish = (outcome: Outcome<T>) => {
      cancelTimer();
      stall.stop();
      signal.removeEventListener("abort", onAbort);
      resolve(outcome);
    };
    const abort = (reason: AgentError, stopped: Stopped) => {
      if (state !== "running") return;
      state = "aborted";
      answer = stopped;
      cancelTimer();
      stall.stop();
      cancelTimer = clock.after(graceMs, leave);
      controller.abort(reason);
    };
    const leave = () => {
      state = "left";
      noteDetached(step, context);
      finish(answer);
    };
    const settle = (outcome: Outcome<T>) => {
      if (state === "left") noteLate(step, context, outcome);
      else finish(state === "running" || outcome.status === "done" ? outcome : answer);
    };
    const onAbort = () => abort(stopReason(signal), stoppedBySignal(signal));
    const giveUp = (error: AgentError) => abort(error, failed(error));
    let cancelTimer = timeoutMs > 0 ? clock.after(timeoutMs, () => giveUp(timeoutError(step))) : () => {};
    const stall = watchForStall(clock, step.terms, (code) => giveUp(stallError(step, code)));
    signal.addEventListener("abort", onAbort, { once: true });
    next(step, { ...context, signal: controller.signal, progress: stall.progress }).then(settle, (thrown) => settle(broke(step, thrown)));
  });
}

function timeoutError<T>({ kind, name, terms: { timeoutMs } }: Step<T>): AgentError {
  const code = kind === "tool" ? "tool_timeout" : "step_timeout";
  return new AgentError(code, `${name} took longer than its ${timeoutMs} ms.`, { details: { timeoutMs } });
}

function stallError<T>({ name, terms }: Step<T>, code: StallCode): AgentError {
  const [ms, what] =
    code === "idle_timeout" ? [terms.idleMs, "fell silent in the middle of its answer for"] : [terms.firstTokenMs, "said nothing for"];
  return new AgentError(code, `${name} ${what} ${ms} ms.`, { details: { timeoutMs: ms } });
}

function noteDetached<T>(step: Step<T>, { journal, clock }: StepContext) {
  journal.note({ type: "note", at: clock.now(), key: step.key, note: "detached", detail: { [step.kind]: step.name } });
}

function noteLate<T>(step: Step<T>, { journal, clock }: StepContext, outcome: Outcome<T>) {
  journal.note({ type: "note", at: clock.now(), key: step.key, note: "late-result", detail: lateDetail(outcome) });
}

function lateDetail<T>(outcome: Outcome<T>): Json {
  const { status } = outcome;
  if (status === "suspended") return { status };
  return status === "done"
    ? { status, ...(isJsonValue(outcome.value) ? { value: outcome.value } : {}) }
    : { status, code: outcome.error.code };
}

const broke = <T>(step: Step<T>, thrown: unknown) => failed(toAgentError(thrown, "internal_error", `A layer inside ${step.key} threw.`));
