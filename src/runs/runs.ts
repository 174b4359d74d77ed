// The runs of one agent: starts them, goes on with them, and lets a second asker of the same run join the first.
import { uuidv7 } from "uuidv7";
import { AgentError } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import type { Entry } from "../core/journal.ts";
import type { RunInput } from "../core/message.ts";
import { parkedError, stopReason } from "../core/outcome.ts";
import type { RunResult } from "../core/result.ts";
import { withinTime } from "../core/waiting.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { type ForkChanges, type ForkOptions, type ReplayOptions, type ResumeOptions, type RunOptions, raisedBy } from "./agent-options.ts";
import { checkRunBudgets } from "./check-budget.ts";
import { checkResumeOptions, checkRunOptions } from "./check-options.ts";
import { createDriver, type Driver, neverOpened } from "./driver.ts";
import { forkRequest, openForked } from "./fork.ts";
import {
  type Asked,
  frozenUser,
  loadEntries,
  notYours,
  type OpenedRun,
  openFree,
  openResumed,
  openStarted,
  runActive,
  sameAsked,
} from "./open-run.ts";
import { type RecoverOptions, type Recovery, startRecovery } from "./recovery.ts";
import { replayRun } from "./replay.ts";
import { type Emit, type OpenStream, openStream, type RunStream } from "./run-stream.ts";

/** How runs are asked for. */
export interface Runs<Output> {
  /** Runs to an end or a stop. Rejects with `input_invalid` only; how the run went is told by the result's `status`. */
  run(input: RunInput, options?: RunOptions): Promise<RunResult<Output>>;
  /** The same, seen while it happens. Throws `input_invalid` at once, and nothing afterwards: `result` never rejects. */
  stream(input: RunInput, options?: RunOptions): RunStream<Output>;
  /**
   * Goes on with a run that stopped (partial, suspended, halted, or failed for a while) or whose process died: it is taken over from
   * whoever is on it. What was done is not done again; caps may be raised. A run that has ended is answered from its journal. Whoever
   * calls this is trusted with the run, unless `user` is given: then only that user's is resumed.
   */
  resume(runId: string, options?: ResumeOptions): Promise<RunResult<Output>>;
  resumeStream(runId: string, options?: ResumeOptions): RunStream<Output>;
  /**
   * Goes on with runs of this agent whose process has died or was shut down, as long as the process lives: those whose lease has run out.
   * Of any number of workers one gets each. Throws `configuration_invalid` for a store that keeps no leases.
   */
  recover(options?: RecoverOptions<Output>): Recovery;
  /**
   * For shutting down: starts nothing any more. What is being done is finished, then the run is left where it stands for another worker;
   * what takes longer than `withinMs` is aborted. Those who wait for such a run get `failed` with `parked`. Resolves when nothing is going
   * on. Only the first call counts.
   */
  drain(options: { readonly withinMs: number }): Promise<void>;
  /**
   * Walks the run once more with its journal: nothing is performed, asked or written, no clock is read, and the result is the same as then.
   * `source` is the id of a run that has ended or stopped, or its entries (`importRun`). Rejects with `replay_diverged` at the first
   * step or choice that the code takes differently, with `run_not_found`, `run_id_conflict`, or `run_active`.
   */
  replay(source: string | readonly Entry[], options?: ReplayOptions): Promise<RunResult<Output>>;
  /**
   * A new run that begins with what the run `runId` did up to the end of a turn, and goes on from there with the parts that are changed. The
   * other run is not touched. Rejects with `input_invalid` and `configuration_invalid` only.
   */
  fork(runId: string, options: ForkOptions): Promise<RunResult<Output>>;
  forkStream(runId: string, options: ForkOptions): RunStream<Output>;
  /** Everything recorded of a run, for views such as `timeline`. Rejects with `run_not_found`. */
  journal(runId: string): Promise<readonly Entry[]>;
}

interface Beginning {
  readonly runId: string;
  /** Undefined for a resume, which takes the run as it is. */
  readonly asked: Asked | undefined;
  readonly options: ResumeOptions;
  readonly streamed: boolean;
  /** The caller knows the id, so that somebody may join. */
  readonly named: boolean;
  readonly open: () => Promise<OpenedRun>;
}

interface Active<Output> {
  readonly stream: OpenStream<Output>;
  readonly asked: Asked | undefined;
}

/** `change` answers the agent's parts with some of them changed. */
export function createRuns<Output>(agent: AgentParts, change: (changes: ForkChanges) => AgentParts): Runs<Output> {
  /** Passes going on in this process, so that a second asker joins; empty when nothing runs. */
  const active = new Map<string, Active<Output>>();
  const driver = createDriver(agent);

  const begin = (beginning: Beginning): RunStream<Output> => {
    const { runId, asked, options, streamed, named } = beginning;
    const going = active.get(runId);
    if (going) return join(agent, runId, going, asked, options);
    if (driver.parking.requested) return unopened(agent, runId, parkedError());
    const leaving = new AbortController();
    const stream = openStream<Output>({
      runId,
      // Whoever joins a run by its id sees it from the start.
      keep: streamed || named,
      leave: () => {
        if (options.onBreak !== "continue") leaving.abort(new AgentError("cancelled", "The consumer left the stream."));
      },
      drive: (emit) => driver.pass<Output>(beginning, leaving, emit).finally(() => active.delete(runId)),
    });
    active.set(runId, { stream, asked });
    return stream.own;
  };

  const start = (input: RunInput, options: RunOptions, streamed: boolean) => {
    checkRunOptions(input, options);
    const run = factsOf(agent, options);
    checkRunBudgets(agent, options.budget, run);
    const named = options.runId !== undefined;
    const open = () => openStarted(agent, { run, input, raise: raisedBy(options), named, lease: driver.leases.terms });
    return begin({ runId: run.id, asked: askedBy(input, options), options, streamed, named, open });
  };

  const goOn = (runId: string, options: ResumeOptions, streamed: boolean) => {
    checkResumeOptions(runId, options);
    checkRunBudgets(agent, options.budget);
    const { context, user } = options;
    const request = { runId, context, user, raise: raisedBy(options), lease: driver.leases.terms };
    return begin({ runId, asked: undefined, options, streamed, named: true, open: () => openResumed(agent, request) });
  };

  const forkOff = (source: string, options: ForkOptions, streamed: boolean) => {
    const { request, parts } = forkRequest(agent, change, source, options);
    const { runId, named } = request;
    return begin({ runId, asked: undefined, options, streamed, named, open: () => openForked(parts, request, driver.leases.terms) });
  };

  return {
    run: async (input, options = {}) => start(input, options, false).result,
    stream: (input, options = {}) => start(input, options, true),
    resume: async (runId, options = {}) => goOn(runId, options, false).result,
    resumeStream: (runId, options = {}) => goOn(runId, options, true),
    recover: (options = {}) => startRecovery(agent, options, takeUp(agent, driver, active, begin, options)),
    drain: (options) => driver.drain(options),
    replay: (source, options = {}) => replayRun<Output>(agent, source, options),
    fork: async (runId, options) => forkOff(runId, options, false).result,
    forkStream: (runId, options) => forkOff(runId, options, true),
    journal: (runId) => loadEntries(agent, runId),
  };
}

/** Goes on with a run if it is still nobody's, and not this agent's either; one that nobody here wants any more is given back. */
const takeUp =
  <Output>(
    agent: AgentParts,
    { leases, parking }: Driver,
    active: ReadonlyMap<string, unknown>,
    begin: (beginning: Beginning) => RunStream<Output>,
    { context }: RecoverOptions<Output>,
  ) =>
  async (runId: string): Promise<RunResult<Output> | undefined> => {
    // It may have been asked for here, or the process be shut down, while it was being opened.
    const unwanted = () => active.has(runId) || parking.requested;
    if (unwanted()) return undefined;
    const opening = openFree(agent, runId, async (run) => ({ context: await context?.(run) }), leases.terms);
    // Neither the store nor `context` holds up a stop for ever; what comes too late is given back.
    const opened = await withinTime(agent.clock, agent.leaseMs, new AbortController().signal, () => opening);
    if (!opened) {
      opening.then((late) => late && leases.giveBack(runId, late.epoch)).catch(() => {});
      return undefined;
    }
    if (!unwanted()) {
      const open = () => Promise.resolve(opened);
      return begin({ runId, asked: undefined, options: {}, streamed: false, named: true, open }).result;
    }
    await leases.giveBack(runId, opened.epoch);
    return undefined;
  };

/** A pass that is going on cannot take other caps or other live objects any more, and is not shown to somebody else. */
function join<Output>(
  agent: AgentParts,
  runId: string,
  going: Active<Output>,
  asked: Asked | undefined,
  options: ResumeOptions,
): RunStream<Output> {
  const { signal, ...others } = options;
  const joined = () => waitingUntil(agent, going.stream.join(), signal);
  if (!asked) return Object.keys(others).length === 0 ? joined() : unopened(agent, runId, runActive(runId));
  if (!going.asked) return unopened(agent, runId, runActive(runId));
  return sameAsked(asked, going.asked) ? joined() : unopened(agent, runId, notYours(runId));
}

const askedBy = (input: RunInput, { user, conversationId }: RunOptions): Asked => ({ input, user, conversationId });

function factsOf(agent: AgentParts, { runId, user, conversationId, context }: RunOptions): RunFacts {
  return {
    id: runId ?? uuidv7(),
    agent: agent.name,
    agentVersion: agent.version,
    ...(user ? { user: frozenUser(user) } : {}),
    ...(conversationId === undefined ? {} : { conversationId }),
    context,
  };
}

/** Whoever has joined stops waiting when their signal aborts; the run itself is somebody else's to cancel. */
function waitingUntil<Output>(agent: AgentParts, stream: RunStream<Output>, signal: AbortSignal | undefined): RunStream<Output> {
  if (!signal) return stream;
  const stop = async () =>
    (await withinTime(agent.clock, 0, signal, () => stream.result)) ?? neverOpened(agent, stream.runId, stopReason(signal), undefined);
  return { ...stream, result: stop() };
}

function unopened(agent: AgentParts, runId: string, error: AgentError): RunStream<never> {
  const refuse = (emit: Emit | undefined) => Promise.resolve(neverOpened(agent, runId, error, emit));
  return openStream<never>({ runId, drive: refuse, leave: () => {}, keep: true }).own;
}
