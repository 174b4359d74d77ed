// The handle the line works with. It can do one thing to the world: `step`.

import type { Clock } from "./clock.ts";
import { AgentError, reviveError, toAgentError } from "./errors.ts";
import type { RunFacts } from "./facts.ts";
import type { AskedStep, Closing, Reason, RunJournal, StepKind } from "./journal.ts";
import { assertJson, canonicalJson, type Json, recall } from "./json.ts";
import type { StageCall } from "./middleware.ts";
import { done, failed, gravest, isOutcome, type Outcome, type Stopped, stoppedBy, stoppedBySignal, suspended } from "./outcome.ts";
import type { ChildUsage } from "./result.ts";
import type { Next, Step, StepContext } from "./step.ts";
import type { Trace } from "./trace.ts";

export interface Run {
  readonly facts: RunFacts;
  /** What keys of steps and choices made through this handle start with; empty or ending in `/`. */
  readonly path: string;
  /** Aborted when the run is to stop; its reason is an `AgentError`. Work that heeds it stops in time. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** The span this part of the line is in. */
  readonly trace: Trace;
  /** The same run one segment deeper: keys of its steps start with the path. */
  at(segment: string): Run;
  /** Touches the outside world, through every layer. `step.key` is relative to the path and unique within the run. Never rejects. */
  step<T>(step: Step<T>): Promise<Outcome<T>>;
  /** A part of the line with its own span and place for middleware. What `work` throws becomes the outcome its code amounts to. */
  stage<T>(name: string, work: (run: Run) => Promise<Outcome<T>>): Promise<Outcome<T>>;
  /** Runs side by side and waits for every one, even when one fails: nothing outlives the run. Answers in order, or with the gravest. */
  all<T>(works: readonly (() => Promise<Outcome<T>>)[]): Promise<Outcome<readonly T[]>>;
  /**
   * A choice the line reacts to: made once, recorded as plain JSON, and the same on every later pass. `key` is relative and unique like
   * a step's. A choice whose making throws, or during which the run is stopped, is not made. `known`: what would be chosen, where nobody has
   * to be asked; a replay compares it.
   */
  decide<T>(key: string, choose: () => T | Promise<T>, reason?: Reason, known?: Json): Promise<Outcome<T>>;
  /**
   * Writes down, once a run, what views need to understand it. Unlike a choice it decides nothing, so a closed run that lacks it is
   * answered all the same.
   */
  remember(key: string, what: Json, reason: Reason): void;
  /** The choice of an earlier pass under this relative key, or undefined: unlike `decide` it makes none. */
  chosen<T>(key: string): T | undefined;
  /** How often the step of this relative key was tried, over all passes. */
  tried(key: string): number;
  /** What an earlier pass asked at the first attempt of the step of this relative key. */
  asked(key: string): Json | undefined;
  /** Of a step of this relative key that is done: the run it started, and what that had used. */
  childOf(key: string): ChildUsage | undefined;
  /** A recorded choice has passed this step over: it is not taken again, and only a replay compares it. */
  passOver(step: AskedStep): void;
}

export type StageWork<T> = (context: StepContext) => Promise<Outcome<T>>;

/** A layer around a stage; it may hand a changed context to `work` (a deeper span) but leaves the outcome alone. */
export type StageLayer = <T>(stage: StageCall, context: StepContext, work: StageWork<T>) => Promise<Outcome<T>>;

/** First layer is outermost. */
export function stageOnion(layers: readonly StageLayer[]): StageLayer {
  return layers.reduceRight<StageLayer>(
    (next, layer) => (stage, context, work) => layer(stage, context, (inner) => next(stage, inner, work)),
    (_stage, context, work) => work(context),
  );
}

/** Everything that is done around stages and steps; compiled once per agent. */
export interface Machinery {
  readonly steps: Readonly<Record<StepKind, Next>>;
  readonly stage: StageLayer;
}

export function openRun(machinery: Machinery, context: StepContext, path = "", used = new Set<string>()): Run {
  const { journal, clock, signal, trace } = context;
  /** The whole key, claimed for this pass; undefined when it was used before. */
  const claim = (relative: string) => {
    const key = path + relative;
    if (used.has(key)) return undefined;
    used.add(key);
    return key;
  };
  const self: Run = {
    facts: context.run,
    path,
    signal,
    clock,
    trace,
    at: (segment) => openRun(machinery, context, `${path}${segment}/`, used),
    ...lookBack(journal, path),
    remember: (relative, what, reason) => {
      const key = path + relative;
      journal.check?.choice({ key, reason, choice: what });
      if (journal.closing || journal.decided(key) !== undefined || claim(relative) === undefined) return;
      journal.hold({ type: "decided", at: clock.now(), key, reason, choice: what });
    },
    step: (step) => {
      const key = claim(step.key);
      return key === undefined ? Promise.resolve(reused(path + step.key)) : machinery.steps[step.kind]({ ...step, key }, context);
    },
    stage: (name, work) => {
      const stage = { run: context.run, name, key: path + name };
      // Without a span of its own a stage has the same run to work with.
      const walk = (inner: StepContext) => settled(name, () => work(inner === context ? self : openRun(machinery, inner, path, used)));
      return isPast(journal, stage.key) ? again(stage.key, context, walk) : machinery.stage(stage, context, walk);
    },
    all: async (works) => gravest(await Promise.all(works.map((work) => settled("a branch", work)))),
    decide: async (relative, choose, reason = "own", known) => {
      const key = claim(relative);
      if (key === undefined) return reused(path + relative);
      const other = journal.check?.choice({ key, reason, ...(known === undefined ? {} : { choice: known }) });
      if (other) return failed(other);
      const past = journal.decided(key);
      if (past !== undefined) {
        if (known !== undefined && !journal.closing && canonicalJson(known) !== canonicalJson(past))
          journal.note({ type: "note", at: clock.now(), key, note: "input-changed" });
        return done(recall(past));
      }
      if (journal.closing) return closedBy(journal.closing);
      return settled(`the choice ${key}`, async () => {
        const choice = await choose();
        if (signal.aborted) return stoppedBySignal(signal);
        assertJson(choice);
        journal.hold({ type: "decided", at: clock.now(), key, reason, choice });
        return done(choice);
      });
    },
  };
  return self;
}

/** What earlier passes have recorded below this path. */
const lookBack = (journal: RunJournal, path: string): Pick<Run, "chosen" | "tried" | "asked" | "childOf" | "passOver"> => ({
  chosen: <T>(key: string) => {
    const past = journal.decided(path + key);
    if (past === undefined) return undefined;
    journal.check?.choice({ key: path + key });
    return recall<T>(past);
  },
  tried: (key) => journal.tried(path + key),
  asked: (key) => journal.find(path + key)?.input,
  childOf: (key) => journal.find(path + key)?.child,
  passOver: (step) => void journal.check?.step({ ...step, key: path + step.key }),
});

const reused = (key: string) => failed(new AgentError("step_key_reused", `Two steps or choices of the run share the key ${key}.`));

/** What was completed before, or belongs to a run that is closed, is walked through without span, middleware or entry. */
const isPast = (journal: RunJournal, key: string) => journal.closing !== undefined || journal.stageDone(key);

async function again<T>(key: string, context: StepContext, walk: StageWork<T>): Promise<Outcome<T>> {
  const outcome = await walk(context);
  context.journal.reached(key);
  return outcome;
}

async function settled<T>(what: string, work: () => Promise<Outcome<T>>): Promise<Outcome<T>> {
  try {
    const outcome = await work();
    return isOutcome(outcome) ? outcome : failed(new AgentError("stage_failed", `${what} answered no outcome.`));
  } catch (thrown) {
    return stoppedBy(toAgentError(thrown, "stage_failed", `${what} threw.`));
  }
}

/** What a pass over a closed journal answers where the journal has nothing more to say. */
export function closedBy(closing: Closing): Stopped {
  if (closing.type === "run.stopped" && closing.waitingFor) return suspended(closing.waitingFor);
  if (closing.error) return stoppedBy(reviveError(closing.error));
  return failed(new AgentError("step_diverged", "The code takes a step that the finished run did not take."));
}
