// The runs of one agent: starts them, goes on with them, and lets a second asker of the same run join the first.
import { uuidv7 } from "uuidv7";
import { AgentError, storeError, toAgentError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import type { RunFacts } from "../core/facts.ts";
import type { Entry } from "../core/journal.ts";
import type { RunInput } from "../core/message.ts";
import type { RunResult } from "../core/result.ts";
import { type OpenStream, openStream, type RunStream } from "../core/run-stream.ts";
import { type ResumeOptions, type RunOptions, termsOf } from "./agent-options.ts";
import { checkResumeOptions, checkRunOptions } from "./check-options.ts";
import { drive, type OpenedRun } from "./drive.ts";
import type { AgentParts } from "./line.ts";
import { loadEntries, openResumed, openStarted, otherInput, sameInput } from "./open-run.ts";

/** How runs are asked for. */
export interface Runs<Output> {
  /** Runs to an end or a stop. Rejects with `input_invalid` only; how the run went is told by the result's `status`. */
  run(input: RunInput, options?: RunOptions): Promise<RunResult<Output>>;
  /** The same, seen while it happens. Throws `input_invalid` at once, and nothing afterwards: `result` never rejects. */
  stream(input: RunInput, options?: RunOptions): RunStream<Output>;
  /**
   * Goes on with a run that stopped (partial, suspended, halted) or whose process died. What was done is not done again; caps may be
   * raised. A run that has ended is answered from its journal.
   */
  resume(runId: string, options?: ResumeOptions): Promise<RunResult<Output>>;
  resumeStream(runId: string, options?: ResumeOptions): RunStream<Output>;
  /** Everything recorded of a run, for views such as `timeline`. Rejects with `run_not_found`. */
  journal(runId: string): Promise<readonly Entry[]>;
}

interface Asked {
  readonly runId: string;
  /** Undefined for a resume, which takes the run as it is. */
  readonly input: RunInput | undefined;
  readonly options: ResumeOptions;
  readonly streamed: boolean;
  /** The caller knows the id, so that somebody may join. */
  readonly named: boolean;
  readonly open: () => Promise<OpenedRun>;
}

export function createRuns<Output>(agent: AgentParts): Runs<Output> {
  /** Passes going on in this process, so that a second asker joins; empty when nothing runs. */
  const active = new Map<string, { readonly stream: OpenStream<Output>; readonly input: RunInput | undefined }>();

  const begin = ({ runId, input, options, streamed, named, open }: Asked): RunStream<Output> => {
    const going = active.get(runId);
    if (going) {
      const other = input !== undefined && going.input !== undefined && !sameInput(input, going.input);
      return other ? conflicting(agent, runId) : going.stream.join();
    }
    const leaving = new AbortController();
    const stream = openStream<Output>({
      runId,
      // Whoever joins a run by its id sees it from the start.
      keep: streamed || named,
      leave: () => {
        if (options.onBreak !== "continue") leaving.abort(new AgentError("cancelled", "The consumer left the stream."));
      },
      drive: async (emit) => {
        const release = follow(options.signal, leaving);
        try {
          return await drive<Output>(await open(), { agent, streamed, emit, signal: leaving.signal });
        } catch (thrown) {
          return neverOpened(agent, runId, thrown, emit);
        } finally {
          release();
          active.delete(runId);
        }
      },
    });
    active.set(runId, { stream, input });
    return stream.own;
  };

  const start = (input: RunInput, options: RunOptions, streamed: boolean) => {
    checkRunOptions(input, options);
    const run = factsOf(agent, options);
    const request = { run, input, terms: termsOf(options, agent.terms), named: options.runId !== undefined };
    return begin({ runId: run.id, input, options, streamed, named: request.named, open: () => openStarted(agent, request) });
  };

  const goOn = (runId: string, options: ResumeOptions, streamed: boolean) => {
    checkResumeOptions(runId, options);
    const open = () => openResumed(agent, runId, options.context, (terms) => termsOf(options, terms));
    return begin({ runId, input: undefined, options, streamed, named: true, open });
  };

  return {
    run: async (input, options = {}) => start(input, options, false).result,
    stream: (input, options = {}) => start(input, options, true),
    resume: async (runId, options = {}) => goOn(runId, options, false).result,
    resumeStream: (runId, options = {}) => goOn(runId, options, true),
    journal: (runId) => loadEntries(agent, runId),
  };
}

function factsOf(agent: AgentParts, { runId, user, conversationId, context }: RunOptions): RunFacts {
  return {
    id: runId ?? uuidv7(),
    agent: agent.name,
    agentVersion: agent.version,
    ...(user ? { user } : {}),
    ...(conversationId === undefined ? {} : { conversationId }),
    context,
  };
}

/** Passes the caller's abort on; the returned function takes the listener off again. */
function follow(caller: AbortSignal | undefined, controller: AbortController): () => void {
  if (!caller) return () => {};
  const onAbort = () => controller.abort(caller.reason);
  if (caller.aborted) onAbort();
  else caller.addEventListener("abort", onAbort, { once: true });
  return () => caller.removeEventListener("abort", onAbort);
}

const conflicting = (agent: AgentParts, runId: string): RunStream<never> => {
  const refuse = (emit: (event: RunEvent) => void) => Promise.resolve(neverOpened(agent, runId, otherInput(runId), emit));
  return openStream<never>({ runId, drive: refuse, leave: () => {}, keep: true }).own;
};

/** A run that could not be opened: wrong id, other input, or a store that is down. Nothing was performed and nothing written. */
function neverOpened(agent: AgentParts, runId: string, thrown: unknown, emit: (event: RunEvent) => void): RunResult<never> {
  const error = toAgentError(thrown, "journal_unavailable", "The store could not be read or written; nothing was started.");
  emit({ type: "run.finished", at: agent.clock.now(), status: "failed", code: storeError(error).code });
  return {
    runId,
    status: "failed",
    error,
    usage: { modelCalls: 0, toolCalls: 0, unreported: 0 },
    timings: { totalMs: 0, modelMs: 0, toolMs: 0 },
    findings: [],
    degraded: [],
    messages: [],
  };
}
