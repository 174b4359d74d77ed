// Small fake steps and the bench they are run on: a context whose clock, journal, trace and signal a test can look into.
import { AgentError, type AgentErrorOptions, type ErrorCode } from "../../src/core/errors.ts";
import type { Entry, RunJournal } from "../../src/core/journal.ts";
import { done, failed, type Outcome } from "../../src/core/outcome.ts";
import type { Step, StepContext, Terms } from "../../src/core/step.ts";
import { type Attributes, noTrace, type Trace } from "../../src/core/trace.ts";
import { noLedger } from "../../src/policy/budgets/ledger.ts";
import { noActs } from "../../src/policy/effects/limited-acts.ts";
import { type FakeClock, fakeClock } from "../../src/testing/fake-clock.ts";

export interface Bench {
  readonly clock: FakeClock;
  readonly context: StepContext;
  readonly entries: Entry[];
  readonly events: { readonly name: string; readonly attributes: Attributes }[];
  readonly start: number;
  abort(reason: unknown): void;
}

/** A context at attempt 1 of run "run-1", on a clock that stands still, with a deadline an hour away. */
export function createBench(changes: Partial<StepContext> & { readonly runId?: string } = {}): Bench {
  const { runId = "run-1", ...changed } = changes;
  const clock = fakeClock();
  const controller = new AbortController();
  const entries: Entry[] = [];
  const events: Bench["events"] = [];
  const keep = (entry: Entry) => void entries.push(entry);
  const journal: RunJournal = {
    find: () => undefined,
    begun: () => false,
    leftBehind: () => false,
    tried: () => 0,
    decided: () => undefined,
    stageDone: () => false,
    closing: undefined,
    check: undefined,
    reached: () => {},
    write: (more) => Promise.resolve(void entries.push(...more)),
    hold: keep,
    note: keep,
    broken: undefined,
  };
  const trace: Trace = { ...noTrace, event: (name, attributes) => void events.push({ name, attributes }) };
  const context: StepContext = {
    run: { id: runId, agent: "support", agentVersion: "1", context: undefined },
    clock,
    journal,
    ledger: noLedger(),
    acts: noActs,
    deadlineAt: clock.now() + 3_600_000,
    parking: { requested: false },
    signal: controller.signal,
    attempt: 1,
    trace,
    emit: () => {},
    progress: () => {},
    ...changed,
  };
  return { clock, context, entries, events, start: clock.now(), abort: (reason) => controller.abort(reason) };
}

/** A step with `perform` at its heart: a read without retry, time-out or breaker unless `changes` or `terms` say otherwise. */
export function stepOf<T>(perform: Step<T>["perform"], terms: Partial<Terms> = {}, changes: Partial<Step<T>> = {}): Step<T> {
  return {
    kind: "tool",
    key: "turn-1/tool/0",
    name: "findOrder",
    input: {},
    repeat: "freely",
    terms: { attempts: 1, timeoutMs: 0, ...terms },
    span: () => ({ name: "execute_tool findOrder", kind: "internal", attributes: {} }),
    perform,
    ...changes,
  };
}

/** Answers with the outcomes in order, the last one for ever, and remembers each performance. */
export function script(...outcomes: readonly Outcome<string>[]) {
  const performed: { readonly at: number; readonly attempt: number }[] = [];
  const perform = ({ clock, attempt }: StepContext): Promise<Outcome<string>> => {
    const outcome = outcomes[Math.min(performed.length, outcomes.length - 1)] ?? ok;
    performed.push({ at: clock.now(), attempt });
    return Promise.resolve(outcome);
  };
  return { perform, performed };
}

/** Work that ends when and how the test says. */
export function openWork() {
  let finish: (outcome: Outcome<unknown>) => void = () => {};
  const promise = new Promise<Outcome<unknown>>((resolve) => {
    finish = resolve;
  });
  return { perform: () => promise, finish };
}

export const ok = done("fine");
export const fails = (code: ErrorCode, options: AgentErrorOptions = {}) => failed(new AgentError(code, `It is ${code}.`, options));
