// The two layers that make steps durable: what is done is never done again, and what was begun is known to have been begun.

import type { Charge } from "../core/cost.ts";
import { AgentError, type ErrorCode, reviveError, storeError, toAgentError } from "../core/errors.ts";
import type { Entry, StepDone, StepRecord, StoredOutcome } from "../core/journal.ts";
import { assertJson, type Json, recall } from "../core/json.ts";
import { done, failed, type Outcome, type Stopped } from "../core/outcome.ts";
import type { ChildUsage } from "../core/result.ts";
import { closedBy, type StageLayer } from "../core/run.ts";
import type { Layer, Next, Step, StepContext } from "../core/step.ts";

/** Outermost layer: a step that is done answers from the journal and nothing inside it runs; what comes of any other is recorded. */
export const recorded: Layer = async (step, context, next) => {
  const { journal } = context;
  const past = journal.find(step.key);
  const drift = journal.check?.step(step);
  if (drift) return failed(drift);
  if (past) {
    const other = divergence(step, past);
    if (other) return failed(other);
    noteChange(step, context, past);
    if (past.outcome) {
      journal.reached(step.key);
      return reopen(past.outcome);
    }
  }
  if (journal.closing) return closedBy(journal.closing);
  if (journal.broken) return failed(journal.broken);
  const attempt = journal.tried(step.key) + 1;
  return record(step, context, await next(step, attempt === 1 ? context : { ...context, attempt }));
};

/** Writes ahead just before the world is touched: after a crash, "never tried" and "may have happened" can be told apart. */
export const announced: Layer = (step, context, next) => {
  const { journal, clock, attempt, reserved } = context;
  const { key, kind, name } = step;
  const started = { type: "attempt.started" as const, at: clock.now(), key, kind, name, attempt, ...(reserved ? { reserved } : {}) };
  try {
    const written = journal.write([attempt === 1 ? { ...started, ...asked(step) } : started]);
    if (written) return once(written, step, context, next);
  } catch (thrown) {
    return Promise.resolve(unwritten(thrown));
  }
  return next(step, context);
};

async function once<T>(written: Promise<void>, step: Step<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  try {
    await written;
  } catch (thrown) {
    return unwritten(thrown);
  }
  return next(step, context);
}

/** Writes down that a stage was completed, and how long it took. */
export const stageRecorded: StageLayer = async (stage, context, work) => {
  const { journal, clock } = context;
  const startedAt = clock.now();
  const outcome = await work(context);
  // Nothing depends on this entry, so it rides with the next write; a stage that was stopped is taken up again by a resume.
  if (outcome.status === "done") {
    journal.hold({ type: "stage.done", at: clock.now(), key: stage.key, startedAt });
  }
  return outcome;
};

/** Facts are recorded; a refusal, suspension, halt or a failure worth trying again is not, so that a resume tries afresh. */
function record<T>(step: Step<T>, context: StepContext, outcome: Outcome<T>): Outcome<T> | Promise<Outcome<T>> {
  const { journal, clock, ledger, acts } = context;
  const cost = ledger.takeCharge(step.key);
  if (outcome.status !== "done" && (outcome.status !== "failed" || !outcome.error.final)) {
    if (journal.begun(step.key)) journal.hold(abandoned(step, clock.now(), outcome, journal.tried(step.key), cost));
    return outcome;
  }
  try {
    const place = acts.takeEnd(step.key);
    const entry = doneEntry(step, clock.now(), outcome, journal.tried(step.key), cost);
    const written = journal.write([place ? { ...entry, place } : entry]);
    return written ? written.then(() => outcome, unwritten) : outcome;
  } catch (thrown) {
    return unwritten(thrown);
  }
}

function doneEntry<T>(step: Step<T>, at: number, outcome: Outcome<T>, attempts: number, cost: Charge | undefined): StepDone {
  const { key, kind, name } = step;
  const { usage, code } = outcome.status === "done" ? (step.facts?.(outcome.value) ?? {}) : { code: codeOf(outcome) };
  return {
    type: "step.done",
    at,
    key,
    kind,
    name,
    attempts,
    outcome: close(outcome),
    ...(code === undefined ? {} : { code }),
    ...(usage === undefined ? {} : { usage }),
    ...(cost ? { cost } : {}),
    ...childOf(step),
    ...(attempts === 0 ? asked(step) : {}),
  };
}

/** What is asked of models and tools is made here; of a step of the user's it has to be looked at before it is written. */
function asked<T>({ kind, input }: Step<T>): { readonly input: Json } {
  if (kind === "custom") assertJson(input, "input");
  return { input };
}

const codeOf = (outcome: Stopped): ErrorCode => (outcome.status === "suspended" ? "tool_in_doubt" : outcome.error.code);

function abandoned<T>(step: Step<T>, at: number, outcome: Stopped, attempts: number, cost: Charge | undefined): Entry {
  const { key, kind, name } = step;
  const usage = step.takeSpent?.();
  return {
    type: "step.abandoned",
    at,
    key,
    kind,
    name,
    attempts,
    code: codeOf(outcome),
    ...(usage ? { usage } : {}),
    ...(cost ? { cost } : {}),
    ...childOf(step),
  };
}

function childOf<T>(step: Step<T>): { readonly child?: ChildUsage } {
  const child = step.child?.();
  return child ? { child } : {};
}

function close<T>(outcome: Outcome<T>): StoredOutcome {
  if (outcome.status === "failed") return { ok: false, error: storeError(outcome.error) };
  const value: unknown = outcome.status === "done" ? outcome.value : null;
  assertJson(value);
  return { ok: true, value };
}

function reopen<T>(stored: StoredOutcome): Outcome<T> {
  return stored.ok ? done(recall<T>(stored.value)) : failed(reviveError(stored.error));
}

/**
 * Another kind of step or another tool at the same key means other code; another model, a corrected prompt or another fallback does not,
 * but for a fallback that was begun and has not answered: nobody else knows what became of it.
 */
function divergence<T>(step: Step<T>, past: StepRecord): AgentError | undefined {
  const sameName = past.name === step.name || step.kind === "model" || (step.key.endsWith("/fallback") && past.outcome !== undefined);
  if (past.kind === step.kind && sameName) return undefined;
  return new AgentError(
    "step_diverged",
    `At ${step.key} the run recorded ${past.kind} ${past.name}; the code now takes ${step.kind} ${step.name}.`,
  );
}

/** Whether a step asks for what was asked at its first attempt. */
export const sameInput = <T>(step: Step<T>, past: StepRecord): boolean => JSON.stringify(past.input) === JSON.stringify(step.input);

function noteChange<T>(step: Step<T>, { journal, clock }: StepContext, past: StepRecord) {
  if (journal.closing || sameInput(step, past)) return;
  journal.note({ type: "note", at: clock.now(), key: step.key, note: "input-changed" });
}

const unwritten = (thrown: unknown) => failed(toAgentError(thrown, "journal_unavailable", "The journal could not be written."));
