// One pass over one run: opens its journal, keeps its time, walks the line, and writes how it ended, once.
import type { Clock } from "../core/clock.ts";
import { AgentError, storeError, toAgentError } from "../core/errors.ts";
import { type Closing, closingIn, type Entry } from "../core/journal.ts";
import type { Ledger } from "../core/ledger.ts";
import { failed, type Outcome, type Stopped, stoppedBySignal, stopReason } from "../core/outcome.ts";
import type { RunResult } from "../core/result.ts";
import { openRun } from "../core/run.ts";
import type { StepContext } from "../core/step.ts";
import { noTrace, runCostAttributes } from "../core/trace.ts";
import { whenAborted, withinTime } from "../core/waiting.ts";
import { decode } from "../journal/codec.ts";
import type { OpenReplayCheck } from "../journal/replay-check.ts";
import { type OpenJournal, openJournal } from "../journal/run-journal.ts";
import { askedCalls } from "../journal/views/asked-calls.ts";
import type { AgentParts, Answer, Line } from "../pipeline/line.ts";
import { pipeline } from "../pipeline/pipeline.ts";
import { createRequestTokens } from "../pipeline/request-tokens.ts";
import { createTextWindow } from "../pipeline/text-window.ts";
import { createThread } from "../pipeline/thread.ts";
import { type CountAbove, createCallLimits } from "../policy/limits.ts";
import { outcomeAttributes } from "../telemetry/attributes.ts";
import { type AccountAbove, type Accounts, noAccounts, openAccounts } from "./account.ts";
import type { OpenedRun } from "./open-run.ts";
import { closingOf, isBreakdown, resultOf } from "./run-result.ts";
import type { Emit } from "./run-stream.ts";

const toNobody: Emit = () => {};
const notParking = { requested: false };

export interface Pass {
  readonly agent: AgentParts;
  readonly streamed: boolean;
  /** A streamed answer that broke off may begin anew. */
  readonly restarts?: boolean;
  /** Absent when nobody watches. */
  readonly emit: Emit | undefined;
  /** Once it is requested the run is left where it stands, for another worker. */
  readonly parking?: StepContext["parking"];
  /** Aborted to cancel; its reason becomes the cause. */
  readonly signal: AbortSignal;
  /** When the run this one is part of has to be over, epoch ms: no wait is begun that would end later. */
  readonly deadlineAt?: number;
  /** Tells the run this one is part of what it is about to have taken. */
  readonly count?: CountAbove;
  /** The account of that run. */
  readonly above?: AccountAbove;
  /** Given for a replay. */
  readonly check?: OpenReplayCheck;
  /** For telling a closed run again: how long the line may take in all. */
  readonly graceMs?: number;
}

/**
 * Walks the line once. A run that is closed already is answered from its journal: nothing is performed. `Output` is what the agent's
 * output schema makes of the answer.
 */
export function drive<Output>(opened: OpenedRun, pass: Pass): Promise<RunResult<Output>>;
export async function drive(opened: OpenedRun, asked: Pass): Promise<RunResult<unknown>> {
  const pass = opened.under ? { ...asked, agent: opened.under } : asked;
  const { agent, check } = pass;
  const { run, entries } = opened;
  const { journal, accounts, line, time, context } = openPass(opened, pass);
  const { trace } = context;
  try {
    const isResumed = accounts.any && entries.at(-1)?.type === "run.resumed";
    const walking = isResumed ? recovered(entries, accounts).then((broken) => broken ?? walk(context, line)) : walk(context, line);
    const { outcome, left } = await settledInTime(walking, time.signal, agent.clock, pass.graceMs ?? graceMs);
    check?.end(closingOf(outcome, line, agent.clock.now(), journal.tally.begun));
    const closing = journal.closing ?? (await close(journal, line, accounts, outcome, agent.clock));
    if (accounts.any) await withinTime(agent.clock, closingMs, noAbort(), () => accounts.close());
    journal.showRest();
    const own = () => resultOf(outcome, closing, { run, line, journal, traceId: traceIdOf(entries), sure: !left });
    const result = left && !pass.graceMs ? ((await retold(opened, pass)) ?? own()) : own();
    trace.set({ ...outcomeAttributes(result.status), ...(result.cost.usd > 0 ? runCostAttributes(result.cost.usd) : {}) });
    trace.end(result.status === "failed" ? result.error : undefined);
    return result;
  } finally {
    time.stop();
    trace.end();
  }
}

/** All that a pass works with. A run that is closed, or replayed, has no account: nothing is reserved or settled for it. */
function openPass(opened: OpenedRun, pass: Pass) {
  const { agent, emit = toNobody, check } = pass;
  const { run, entries, epoch, caps } = opened;
  const accounts = check || closingIn(entries) ? noAccounts() : openAccounts(agent, opened, pass.above);
  const { ledger, acts } = accounts;
  const journal = openJournal({
    journal: agent.store.journal,
    runId: run.id,
    epoch,
    entries,
    emit: pass.emit,
    durable: (entry) => accounts.follow(entry),
    ...(check ? { check } : {}),
  });
  const line = openLine(opened, pass, ledger);
  const time = keepTime(agent.clock, pass.signal, caps.totalMs - journal.tally.timings().totalMs);
  const context: StepContext = {
    run,
    clock: agent.clock,
    journal,
    ledger,
    acts,
    deadlineAt: Math.min(time.deadlineAt, pass.deadlineAt ?? Number.POSITIVE_INFINITY),
    parking: pass.parking ?? notParking,
    signal: time.signal,
    attempt: 1,
    trace: journal.closing ? noTrace : opened.trace,
    emit,
    progress: () => {},
  };
  return { journal, accounts, line, time, context };
}

/**
 * A line that was left where it stood does not know what its steps have come to; the journal does. Undefined when that cannot be read in
 * time either.
 */
async function retold(opened: OpenedRun, { agent }: Pass): Promise<RunResult<unknown> | undefined> {
  const gone = AbortSignal.abort();
  const load = async () => (await agent.store.journal.load(opened.run.id))?.map(decode);
  const entries = await withinTime(agent.clock, retellingMs, new AbortController().signal, load);
  if (!entries || !closingIn(entries)) return undefined;
  return drive({ ...opened, entries, trace: noTrace }, { agent, streamed: false, emit: undefined, signal: gone, graceMs: retellingMs });
}

/** What an earlier pass has left set aside is settled before anything is asked for. */
async function recovered(entries: readonly Entry[], accounts: Accounts): Promise<Stopped | undefined> {
  try {
    await accounts.recover(entries);
    return undefined;
  } catch (thrown) {
    return failed(toAgentError(thrown, "journal_unavailable", "The budgets and limits could not be read or written; nothing was started."));
  }
}

async function walk(context: StepContext, line: Line): Promise<Outcome<Answer>> {
  try {
    return await pipeline(openRun(line.agent.machinery, context), line);
  } catch (thrown) {
    return failed(toAgentError(thrown, "internal_error", "The run broke on a bug of ours."));
  }
}

/** How long after its signal a run may take to settle: longer than a step needs, and with the retelling less than the 50 ms promised. */
const graceMs = 30;
const retellingMs = 10;

const noAbort = () => new AbortController().signal;

/** How long a store may take to close a run before it counts as gone. */
const closingMs = 15_000;

/**
 * Steps settle by themselves soon after the signal. The user's own code on the line (instructions, stages, middleware, schemas) may not:
 * then it is left, the run is over all the same, and its closed journal takes nothing more from it.
 */
async function settledInTime<T>(walking: Promise<Outcome<T>>, signal: AbortSignal, clock: Clock, afterMs: number) {
  const late = Promise.withResolvers<{ outcome: Outcome<T>; left: boolean }>();
  let cancel = () => {};
  const release = whenAborted(signal, () => {
    cancel = clock.after(afterMs, () => late.resolve({ outcome: stoppedBySignal(signal), left: true }));
  });
  try {
    return await Promise.race([walking.then((outcome) => ({ outcome, left: false })), late.promise]);
  } finally {
    cancel();
    release();
  }
}

function openLine({ input, caps, entries }: OpenedRun, pass: Pass, ledger: Ledger): Line {
  const { agent, streamed, restarts = false, emit = toNobody, count } = pass;
  return {
    agent,
    input,
    streamed,
    restarts,
    emit,
    thread: createThread(agent.held),
    limits: createCallLimits(caps, count),
    ledger,
    tokens: createRequestTokens(agent.tokens),
    window: createTextWindow(emit, agent.clock, agent.held.answers),
    askedBefore: entries.at(-1)?.type === "run.resumed" ? askedCalls(entries) : new Map(),
    findings: [],
    degraded: [],
    simulated: simulates(entries) ? [] : undefined,
    finished: [],
    unfinished: [],
    reasks: 0,
  };
}

/**
 * Writes how the run ended or stopped. A pass that broke down (the store is gone, or the run is somebody else's) has said nothing about
 * the run: like after a crash, a resume goes on from what is written.
 */
async function close(journal: OpenJournal, line: Line, accounts: Accounts, outcome: Outcome<Answer>, clock: Clock): Promise<Closing> {
  const closing = closingOf(outcome, line, clock.now(), journal.tally.begun);
  try {
    if (accounts.any && !isBreakdown(closing)) await withinTime(clock, closingMs, noAbort(), () => accounted(journal, accounts));
    const entries = isBreakdown(closing) ? [] : [closing];
    const writing = journal.write(entries)?.then(() => true);
    const written = !writing || (await withinTime(clock, closingMs, new AbortController().signal, () => writing));
    if (!written) throw new AgentError("journal_unavailable", "The store did not answer in time.");
    return isBreakdown(closing) ? brokenOff(journal, line, closing) : closing;
  } catch (thrown) {
    const error = storeError(toAgentError(thrown, "journal_unavailable", "The journal could not be written."));
    return brokenOff(journal, line, { type: "run.ended", at: clock.now(), status: "failed", error });
  }
}

/** Nobody goes on with a run that has ended: what it has cost is written and told before, so that no crash leaves any of it set aside. */
async function accounted(journal: OpenJournal, accounts: Accounts) {
  if (accounts.owes) await journal.write([]);
  await accounts.settled();
}

/** The consumer sees the end of the pass, which the journal does not. */
function brokenOff(journal: OpenJournal, line: Line, closing: Closing): Closing {
  journal.showRest();
  line.emit({ type: "run.finished", at: closing.at, status: closing.status, ...(closing.error ? { code: closing.error.code } : {}) });
  return closing;
}

/** The run's own signal: aborted by the caller or by the total deadline, with an `AgentError` as reason. Nothing is left behind. */
function keepTime(clock: Clock, caller: AbortSignal, leftMs: number) {
  const controller = new AbortController();
  const onDeadline = () => controller.abort(new AgentError("deadline_exceeded", "The run's time was up."));
  const cancel = Number.isFinite(leftMs) ? clock.after(leftMs, onDeadline) : () => {};
  const release = whenAborted(caller, () => controller.abort(stopReason(caller)));
  return {
    signal: controller.signal,
    deadlineAt: clock.now() + leftMs,
    stop: () => {
      cancel();
      release();
    },
  };
}

const simulates = ([started]: readonly Entry[]) => started?.type === "run.started" && started.origin?.effects === "simulate";

function traceIdOf(entries: readonly Entry[]): string | undefined {
  const [started] = entries;
  return started?.type === "run.started" ? started.traceId : undefined;
}
