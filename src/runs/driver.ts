// Drives runs for one agent: opens each in time, holds its lease while it is passed over, and leaves what is not finished to others when asked to.
import { uuidv7 } from "uuidv7";
import { AgentError, toAgentError } from "../core/errors.ts";
import { checkOptions, isCount } from "../core/options.ts";
import { parkedError, stopReason } from "../core/outcome.ts";
import type { RunResult } from "../core/result.ts";
import { whenAborted, withinTime } from "../core/waiting.ts";
import { noCost } from "../journal/views/cost.ts";
import type { AgentParts } from "../pipeline/line.ts";
import type { ResumeOptions } from "./agent-options.ts";
import { drive } from "./drive.ts";
import { createLeases, type Leases } from "./leases.ts";
import type { OpenedRun } from "./open-run.ts";
import { isBreakdown } from "./run-result.ts";
import type { Emit } from "./run-stream.ts";

/** A run to be opened and passed over. */
export interface ToDrive {
  readonly runId: string;
  readonly options: ResumeOptions;
  readonly streamed: boolean;
  readonly open: () => Promise<OpenedRun>;
}

export interface Driver {
  readonly leases: Leases;
  readonly parking: { readonly requested: boolean };
  /** Opens the run and passes over it; does not reject. The caller's abort becomes one of `leaving`, which ends the pass. */
  pass<Output>(work: ToDrive, leaving: AbortController, emit: Emit | undefined): Promise<RunResult<Output>>;
  /** Throws `input_invalid`. */
  drain(options: { readonly withinMs: number }): Promise<void>;
}

export function createDriver(agent: AgentParts): Driver {
  const leases = createLeases(agent, uuidv7());
  const parking = { requested: false };
  const going = new Map<AbortController, Promise<unknown>>();

  const pass = async <Output>({ runId, options, streamed, open }: ToDrive, leaving: AbortController, emit: Emit | undefined) => {
    const { signal } = leaving;
    const release = follow(options.signal, leaving);
    let letGo = () => {};
    try {
      const opened = await inTime(agent, signal, options.timeouts?.totalMs ?? agent.caps.totalMs, open);
      const { epoch } = opened;
      if (epoch > 0) letGo = leases.hold(runId, epoch, (error) => leaving.abort(error));
      const restarts = options.onInterrupted === "restart";
      const result = await drive<Output>(opened, { agent, streamed, restarts, emit, parking, signal });
      letGo();
      if (epoch > 0 && "error" in result && isBreakdown(result)) await leases.giveBack(runId, epoch);
      return result;
    } catch (thrown) {
      return neverOpened(agent, runId, thrown, emit);
    } finally {
      letGo();
      release();
    }
  };

  return {
    leases,
    parking,
    pass: (work, leaving, emit) => {
      const passing = pass<never>(work, leaving, emit).finally(() => going.delete(leaving));
      going.set(leaving, passing);
      return passing;
    },
    drain: async (options) => {
      checkOptions("input_invalid", "drain", options, { withinMs: isCount });
      if (options.withinMs === undefined)
        throw new AgentError("input_invalid", "drain needs `withinMs`: how long what is being done may take.");
      parking.requested = true;
      const over = Promise.all(going.values()).then(() => true);
      const inTimeOver = await withinTime(agent.clock, Math.max(1, options.withinMs), new AbortController().signal, () => over);
      if (!inTimeOver) for (const leaving of going.keys()) leaving.abort(parkedError());
      await over;
      await agent.giveBack().catch(() => {}); // then it counts as used until its time is up
    },
  };
}

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

/** A run that could not be opened: wrong id, other input, or a store that is down. Nothing was performed and nothing written. */
export function neverOpened(agent: AgentParts, runId: string, thrown: unknown, emit: Emit | undefined): RunResult<never> {
  const error = toAgentError(thrown, "journal_unavailable", "The store could not be read or written; nothing was started.");
  const status = error.code === "cancelled" ? "cancelled" : "failed";
  emit?.({ type: "run.finished", at: agent.clock.now(), status, code: error.code });
  return {
    runId,
    status,
    error,
    usage: { modelCalls: 0, toolCalls: 0, unreported: 0 },
    cost: noCost(),
    timings: { totalMs: 0, modelMs: 0, toolMs: 0 },
    findings: [],
    degraded: [],
    messages: [],
    resumable: false,
  };
}
