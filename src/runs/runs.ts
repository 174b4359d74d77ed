// The runs of one agent: starts them, goes on with them, and lets a second asker of the same run join the first.
import { uuidv7 } from "uuidv7";
import { AgentError } from "../core/errors.ts";
import type { Principal, RunFacts } from "../core/facts.ts";
import type { Entry } from "../core/journal.ts";
import type { RunInput } from "../core/message.ts";
import { stopReason } from "../core/outcome.ts";
import type { RunResult } from "../core/result.ts";
import { withinTime } from "../core/waiting.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { parkedError } from "../policy/halted.ts";
import { capsOf, type ResumeOptions, type RunOptions } from "./agent-options.ts";
import { checkResumeOptions, checkRunOptions } from "./check-options.ts";
import { createDriver, neverOpened } from "./driver.ts";
import type { Leases } from "./leases.ts";
import { type Asked, loadEntries, notYours, type OpenedRun, openFree, openResumed, openStarted, runActive, sameAsked } from "./open-run.ts";
import { type RecoverOptions, type Recovery, startRecovery } from "./recovery.ts";
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

export function createRuns<Output>(agent: AgentParts): Runs<Output> {
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
    const { user, conversationId } = options;
    const run = factsOf(agent, options);
    const request = { run, input, caps: capsOf(options, agent.caps), named: options.runId !== undefined, lease: driver.leases.terms };
    const open = () => openStarted(agent, request);
    return begin({ runId: run.id, asked: { input, user, conversationId }, options, streamed, named: request.named, open });
  };

  const goOn = (runId: string, options: ResumeOptions, streamed: boolean) => {
    checkResumeOptions(runId, options);
    const { context, user } = options;
    const open = () => openResumed(agent, { runId, context, user, raise: (caps) => capsOf(options, caps), lease: driver.leases.terms });
    return begin({ runId, asked: undefined, options, streamed, named: true, open });
  };

  const takeUp =
    ({ context }: RecoverOptions<Output>) =>
    async (runId: string) => {
      const unwanted = () => active.has(runId) || driver.parking.requested;
      const opened = await takeFree(agent, driver.leases, { runId, context, unwanted });
      if (!opened) return undefined;
      const open = () => Promise.resolve(opened);
      return begin({ runId, asked: undefined, options: {}, streamed: false, named: true, open }).result;
    };

  return {
    run: async (input, options = {}) => start(input, options, false).result,
    stream: (input, options = {}) => start(input, options, true),
    resume: async (runId, options = {}) => goOn(runId, options, false).result,
    resumeStream: (runId, options = {}) => goOn(runId, options, true),
    recover: (options = {}) => startRecovery(agent, options, takeUp(options)),
    drain: (options) => driver.drain(options),
    journal: (runId) => loadEntries(agent, runId),
  };
}

interface Taking {
  readonly runId: string;
  readonly context: RecoverOptions["context"] | undefined;
  /** Whether nobody here will drive it: it was asked for, or this process is shut down. */
  readonly unwanted: () => boolean;
}

/** A run that is ours from here on; undefined when it is not free, or nobody wants it any more: then it is given back. */
async function takeFree(agent: AgentParts, leases: Leases, { runId, context, unwanted }: Taking): Promise<OpenedRun | undefined> {
  if (unwanted()) return undefined;
  const opened = await openFree(agent, runId, (run) => context?.(run), leases.terms);
  if (!opened || !unwanted()) return opened;
  await leases.giveBack(runId, opened.epoch);
  return undefined;
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
