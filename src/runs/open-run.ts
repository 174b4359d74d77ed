// Finds or makes the journal a run is passed over with: a new one, one that is closed and only answers, or one to go on with.
import { AgentError } from "../core/errors.ts";
import type { Principal, RunFacts } from "../core/facts.ts";
import { type Closing, closingIn, type Entry, journalFormat, type RunCaps, type RunStarted } from "../core/journal.ts";
import { assertJson, canonicalJson } from "../core/json.ts";
import type { RunInput } from "../core/message.ts";
import type { Claim, Lease, RunHeader } from "../core/store.ts";
import { noTrace, type Trace } from "../core/trace.ts";
import { decode, encode } from "../journal/codec.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { checkCovered } from "./check-budget.ts";

/** A run whose journal a pass may walk: read, and owned under `epoch`. */
export interface OpenedRun {
  readonly run: RunFacts;
  readonly input: RunInput;
  readonly caps: RunCaps;
  readonly epoch: number;
  readonly entries: readonly Entry[];
  readonly trace: Trace;
  /** Set for a fork: the parts that are at work in it, in place of the agent's. */
  readonly under?: AgentParts;
}

/** Who asks for what. Somebody else who knows the id of a run is not answered with it. */
export interface Asked {
  readonly input: RunInput;
  readonly user: Principal | undefined;
  readonly conversationId: string | undefined;
}

export interface StartRequest {
  readonly run: RunFacts;
  readonly input: RunInput;
  /** What the caller says of the caps of the agent, or of the run so far. */
  readonly raise: (caps: RunCaps) => RunCaps;
  /** The caller chose the id, so that a run of that id may exist. */
  readonly named: boolean;
  readonly lease: Lease | undefined;
}

/**
 * A new run, or the one that the same user has asked for with the same id and input: closed, to be answered, or nobody's since its process
 * died, to be gone on with. Throws `run_id_conflict`, `run_active` for one that somebody else may be on (a second owner would do its acts
 * twice), or what the store throws.
 */
export async function openStarted(agent: AgentParts, request: StartRequest): Promise<OpenedRun> {
  const { run, named } = request;
  const { journal } = agent.store;
  const existing = named ? await journal.load(run.id) : undefined;
  if (existing) return answered(agent, request, existing);
  const { input, lease, raise } = request;
  return (
    (await createRun(agent, { run, input, lease, caps: raise(agent.caps) })) ?? answered(agent, request, (await journal.load(run.id)) ?? [])
  );
}

/** Undefined when somebody else was quicker. */
export async function createRun(
  agent: AgentParts,
  { run, input, caps, lease }: Pick<StartRequest, "run" | "input" | "lease"> & { readonly caps: RunCaps },
): Promise<OpenedRun | undefined> {
  const trace = agent.openTrace(run, false);
  const started = startedEntry(agent, run, input, caps, trace.traceId);
  try {
    if (await agent.store.journal.create(headerOf(run), [encode(started)], lease))
      return { run, input, caps, epoch: 1, entries: [started], trace };
    trace.end(new AgentError("run_id_conflict", "Somebody else started a run of this id first."));
    return undefined;
  } catch (thrown) {
    trace.end(new AgentError("journal_unavailable", "The store could not be written."));
    throw thrown;
  }
}

export interface ResumeRequest {
  readonly runId: string;
  readonly context: unknown;
  /** When given, only this user's run is resumed; without, whoever calls is trusted. */
  readonly user: Principal | undefined;
  readonly raise: (caps: RunCaps) => RunCaps;
  readonly lease: Lease | undefined;
}

/**
 * A run to go on with, under raised caps; one that has ended is only answered. Taken over from whoever is on it, but not before it is
 * known to be ours to take. Throws `run_not_found`, `run_id_conflict`, or what the store throws.
 */
export async function openResumed(agent: AgentParts, request: ResumeRequest): Promise<OpenedRun> {
  const { runId, context, user, raise, lease } = request;
  const before = await loadEntries(agent, runId);
  const { run, input, caps } = readRun(agent, before, context);
  if (user && !sameUser(user, run.user)) throw notYours(runId);
  if (before.some(({ type }) => type === "run.ended")) return { run, input, caps, epoch: 0, entries: before, trace: noTrace };
  checkCovered(agent, run);
  const claim = await agent.store.journal.claim(runId, lease);
  if (!claim) throw notFound(runId);
  return reopened(agent, claim, { run, input, caps }, raise);
}

/** A run that is nobody's, to go on with; undefined when it is somebody's by now, or over. */
export async function openFree(
  agent: AgentParts,
  runId: string,
  contextOf: (run: RunFacts) => Promise<Pick<RunFacts, "context">> | Pick<RunFacts, "context">,
  lease: Lease | undefined,
) {
  const claim = await agent.store.journal.claim(runId, lease, "ifFree");
  if (!claim) return undefined;
  const known = readRun(agent, claim.lines.map(decode), undefined);
  try {
    checkCovered(agent, known.run);
    return await reopened(agent, claim, { ...known, run: { ...known.run, ...(await contextOf(known.run)) } });
  } catch (thrown) {
    // Nobody is on it: another worker need not wait until the lease has run out.
    await agent.store.journal.release?.(runId, claim.epoch).catch(() => {});
    throw thrown;
  }
}

/** Owned from here on; a run that turns out to have ended is only answered. */
async function reopened(
  agent: AgentParts,
  { epoch, lines }: Claim,
  { run, input, caps }: Pick<OpenedRun, "run" | "input" | "caps">,
  raise = (before: RunCaps) => before,
): Promise<OpenedRun> {
  const entries = lines.map(decode);
  if (entries.some(({ type }) => type === "run.ended")) return { run, input, caps, epoch, entries, trace: noTrace };
  const raised = raise(caps);
  const resumed: Entry = { type: "run.resumed", at: agent.clock.now(), format: journalFormat, agentVersion: agent.version, caps: raised };
  await agent.store.journal.append(run.id, { epoch, sequence: entries.length }, [encode(resumed)], "running");
  return { run, input, caps: raised, epoch, entries: [...entries, resumed], trace: agent.openTrace(run, true) };
}

/** Every entry of a run, for views. Throws `run_not_found`. */
export async function loadEntries(agent: AgentParts, runId: string): Promise<readonly Entry[]> {
  const lines = await agent.store.journal.load(runId);
  if (!lines) throw notFound(runId);
  return lines.map(decode);
}

async function answered(agent: AgentParts, request: StartRequest, lines: readonly string[]): Promise<OpenedRun> {
  const { run: asked, input, lease } = request;
  const entries = lines.map(decode);
  const { run, caps } = readRun(agent, entries, asked.context);
  const started = startedOf(entries);
  if (!sameAsked(started, { input, user: asked.user, conversationId: asked.conversationId })) throw notYours(asked.id);
  const closing = closingIn(entries);
  if (closing && isRefusedAtStart(closing)) return startedAgain(agent, request);
  if (closing) return { run, input, caps, epoch: 0, entries, trace: noTrace };
  const free = lease && (await openFree(agent, asked.id, () => ({ context: asked.context }), lease));
  if (free) return free;
  throw runActive(asked.id);
}

/** No budget could afford anything of it: asked for again, it is tried again. Of several who ask at the same time one goes on. */
async function startedAgain(agent: AgentParts, { run, lease, raise }: StartRequest): Promise<OpenedRun> {
  try {
    return await openResumed(agent, { runId: run.id, context: run.context, user: run.user, raise, lease });
  } catch (thrown) {
    throw AgentError.is(thrown) && thrown.code === "journal_conflict" ? runActive(run.id) : thrown;
  }
}

const isRefusedAtStart = ({ type, status }: Closing) => type === "run.stopped" && status === "refused";

function startedOf(entries: readonly Entry[]): RunStarted {
  const [first] = entries;
  if (first?.type !== "run.started") throw new AgentError("journal_corrupt", "This journal does not begin with the start of a run.");
  return first;
}

/** Guardrails, tools and middleware are handed these very facts: nobody may change for the others who is asking. */
export const frozenUser = ({ id, roles, tenant }: Principal): Principal =>
  Object.freeze({ id, ...(roles ? { roles: Object.freeze([...roles]) } : {}), ...(tenant === undefined ? {} : { tenant }) });

/** What the journal says of the run; only the live context has to be given again. */
export function readRun(agent: AgentParts, entries: readonly Entry[], context: unknown): Pick<OpenedRun, "run" | "input" | "caps"> {
  const { runId, agent: owner, user, conversationId, parent, input, caps } = startedOf(entries);
  if (owner !== agent.name) throw notYours(runId);
  const resumed = entries.findLast((entry) => entry.type === "run.resumed");
  const run: RunFacts = {
    id: runId,
    agent: agent.name,
    agentVersion: agent.version,
    ...(user ? { user: frozenUser(user) } : {}),
    ...(conversationId === undefined ? {} : { conversationId }),
    ...(parent === undefined ? {} : { parent }),
    context,
  };
  return { run, input, caps: resumed?.caps ?? caps };
}

export function startedEntry(agent: AgentParts, run: RunFacts, input: RunInput, caps: RunCaps, traceId: string | undefined): RunStarted {
  return {
    type: "run.started",
    at: agent.clock.now(),
    format: journalFormat,
    runId: run.id,
    agent: agent.name,
    agentVersion: agent.version,
    input,
    ...(run.user ? { user: run.user } : {}),
    ...(run.conversationId === undefined ? {} : { conversationId: run.conversationId }),
    ...(run.parent === undefined ? {} : { parent: run.parent }),
    ...(traceId === undefined ? {} : { traceId }),
    caps,
  };
}

export function headerOf({ id, agent, user, conversationId, parent }: RunFacts): RunHeader {
  return {
    runId: id,
    agent,
    ...(user ? { user: user.id } : {}),
    ...(user?.tenant === undefined ? {} : { tenant: user.tenant }),
    ...(conversationId === undefined ? {} : { conversationId }),
    ...(parent === undefined ? {} : { parent }),
  };
}

/** Whether the same is asked, on behalf of the same user; whatever the order of keys. */
export function sameAsked(one: Partial<Asked>, other: Partial<Asked>): boolean {
  return sameJson(one.input, other.input) && sameUser(one.user, other.user) && one.conversationId === other.conversationId;
}

export const sameUser = (one: Principal | undefined, other: Principal | undefined) =>
  one?.id === other?.id && one?.tenant === other?.tenant;

function sameJson(one: unknown, other: unknown): boolean {
  assertJson(one);
  assertJson(other);
  return canonicalJson(one) === canonicalJson(other);
}

// One message for all that does not fit, so that an id tells nothing about somebody else's run.
export const notYours = (runId: string) =>
  new AgentError("run_id_conflict", `The run ${runId} was started by another agent or user, or with another input.`, {
    details: { runId },
  });

export const runActive = (runId: string) =>
  new AgentError("run_active", `The run ${runId} has not ended, and is going on elsewhere or was left by a process that died.`, {
    details: { runId },
  });

const notFound = (runId: string) => new AgentError("run_not_found", `There is no run ${runId} in this store.`, { details: { runId } });
