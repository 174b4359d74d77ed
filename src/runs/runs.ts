// The runs of one agent: starts them, goes on with them, and lets a second asker of the same run join the first.
import { uuidv7 } from "uuidv7";
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Principal, RunFacts } from "../core/facts.ts";
import type { Entry } from "../core/journal.ts";
import type { RunInput } from "../core/message.ts";
import { stopReason } from "../core/outcome.ts";
import type { RunResult } from "../core/result.ts";
import { whenAborted, withinTime } from "../core/waiting.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { capsOf, type ForkChanges, type ForkOptions, type ReplayOptions, type ResumeOptions, type RunOptions } from "./agent-options.ts";
import { checkResumeOptions, checkRunOptions } from "./check-options.ts";
import { drive } from "./drive.ts";
import { forkRequest, openForked } from "./fork.ts";
import { type Asked, loadEntries, notYours, type OpenedRun, openResumed, openStarted, runActive, sameAsked } from "./open-run.ts";
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

  const begin = (beginning: Beginning): RunStream<Output> => {
    const { runId, asked, options, streamed, named } = beginning;
    const going = active.get(runId);
    if (going) return join(agent, runId, going, asked, options);
    const leaving = new AbortController();
    const stream = openStream<Output>({
      runId,
      // Whoever joins a run by its id sees it from the start.
      keep: streamed || named,
      leave: () => {
        if (options.onBreak !== "continue") leaving.abort(new AgentError("cancelled", "The consumer left the stream."));
      },
      drive: (emit) => pass<Output>(agent, beginning, leaving, emit).finally(() => active.delete(runId)),
    });
    active.set(runId, { stream, asked });
    return stream.own;
  };

  const start = (input: RunInput, options: RunOptions, streamed: boolean) => {
    checkRunOptions(input, options);
    const { user, conversationId } = options;
    const run = factsOf(agent, options);
    const request = { run, input, caps: capsOf(options, agent.caps), named: options.runId !== undefined };
    const open = () => openStarted(agent, request);
    return begin({ runId: run.id, asked: { input, user, conversationId }, options, streamed, named: request.named, open });
  };

  const goOn = (runId: string, options: ResumeOptions, streamed: boolean) => {
    checkResumeOptions(runId, options);
    const { context, user } = options;
    const open = () => openResumed(agent, { runId, context, user, raise: (caps) => capsOf(options, caps) });
    return begin({ runId, asked: undefined, options, streamed, named: true, open });
  };

  const forkOff = (source: string, options: ForkOptions, streamed: boolean) => {
    const { request, parts } = forkRequest(agent, change, source, options);
    const { runId, named } = request;
    return begin({ runId, asked: undefined, options, streamed, named, open: () => openForked(parts, request) });
  };

  return {
    run: async (input, options = {}) => start(input, options, false).result,
    stream: (input, options = {}) => start(input, options, true),
    resume: async (runId, options = {}) => goOn(runId, options, false).result,
    resumeStream: (runId, options = {}) => goOn(runId, options, true),
    replay: (source, options = {}) => replayRun<Output>(agent, source, options),
    fork: async (runId, options) => forkOff(runId, options, false).result,
    forkStream: (runId, options) => forkOff(runId, options, true),
    journal: (runId) => loadEntries(agent, runId),
  };
}

/** Opens the run and passes over it; does not reject. The caller's abort becomes one of `leaving`, which ends the pass. */
async function pass<Output>(
  agent: AgentParts,
  { runId, options, streamed, open }: Beginning,
  leaving: AbortController,
  emit: Emit | undefined,
): Promise<RunResult<Output>> {
  const { signal } = leaving;
  const release = follow(options.signal, leaving);
  try {
    const opened = await inTime(agent, signal, options.timeouts?.totalMs ?? agent.caps.totalMs, open);
    return await drive<Output>(opened, { agent, streamed, restarts: options.onInterrupted === "restart", emit, signal });
  } catch (thrown) {
    return neverOpened(agent, runId, thrown, emit);
  } finally {
    release();
  }
}

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

// Guardrails, tools and middleware are handed these very facts: nobody may change for the others who is asking.
const frozenUser = ({ id, roles, tenant }: Principal): Principal =>
  Object.freeze({ id, ...(roles ? { roles: Object.freeze([...roles]) } : {}), ...(tenant === undefined ? {} : { tenant }) });

/** How long after an abort the store may still take to answer, so that the run is written down as what it was. */
const openingGraceMs = 40;

/** A store that does not answer holds nobody: neither past a cancel nor past the time a run may take. */
async function inTime(agent: AgentParts, signal: AbortSignal, totalMs: number, open: () => Promise<OpenedRun>): Promise<OpenedRun> {
  const patience = new AbortController();
  let cancel = () => {};
  const onAbort = () => {
    cancel = agent.clock.after(openingGraceMs, () => patience.abort());
  };
  const release = whenAborted(signal, onAbort);
  const opening = open();
  try {
    const opened = await withinTime(agent.clock, totalMs, patience.signal, () => opening);
    if (opened) return opened;
  } finally {
    cancel();
    release();
  }
  const error = signal.aborted ? stopReason(signal) : new AgentError("journal_unavailable", "The store did not answer in time.");
  closeLate(agent, opening, error);
  throw error;
}

/** A run that was opened too late for its caller is closed as what the caller was told, and not left to look as if it went on. */
function closeLate(agent: AgentParts, opening: Promise<OpenedRun>, error: AgentError) {
  const reason = error.code === "journal_unavailable" ? new AgentError("deadline_exceeded", "The store did not answer in time.") : error;
  opening.then((opened) => drive(opened, { agent, streamed: false, emit: undefined, signal: AbortSignal.abort(reason) })).catch(() => {}); // the store is the one to say so
}

/** Passes the caller's abort on; the returned function takes the listener off again. */
function follow(caller: AbortSignal | undefined, controller: AbortController): () => void {
  return caller ? whenAborted(caller, () => controller.abort(caller.reason)) : () => {};
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

/** A run that could not be opened: wrong id, other input, or a store that is down. Nothing was performed and nothing written. */
function neverOpened(agent: AgentParts, runId: string, thrown: unknown, emit: Emit | undefined): RunResult<never> {
  const error = toAgentError(thrown, "journal_unavailable", "The store could not be read or written; nothing was started.");
  const status = error.code === "cancelled" ? "cancelled" : "failed";
  emit?.({ type: "run.finished", at: agent.clock.now(), status, code: error.code });
  return {
    runId,
    status,
    error,
    usage: { modelCalls: 0, toolCalls: 0, unreported: 0 },
    timings: { totalMs: 0, modelMs: 0, toolMs: 0 },
    findings: [],
    degraded: [],
    messages: [],
    resumable: false,
  };
}
