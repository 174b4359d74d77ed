// Finds or makes the journal a run is passed over with: a new one, one that is closed and only answers, or one to go on with.
import { AgentError } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import { type Entry, journalFormat, type RunTerms } from "../core/journal.ts";
import { assertJson, canonicalJson } from "../core/json.ts";
import type { RunInput } from "../core/message.ts";
import { noTrace } from "../core/trace.ts";
import { decode, encode } from "../journal/codec.ts";
import { type OpenedRun, openRunTrace } from "./drive.ts";
import type { AgentParts } from "./line.ts";

export interface StartRequest {
  readonly run: RunFacts;
  readonly input: RunInput;
  readonly terms: RunTerms;
  /** The caller chose the id, so that a run of that id may exist. */
  readonly named: boolean;
}

/**
 * A new run, or the closed one of the same id and input. Throws `run_id_conflict`, `run_active` for one that somebody else may be on (a
 * second owner would do its acts twice), or what the store throws.
 */
export async function openStarted(agent: AgentParts, { run, input, terms, named }: StartRequest): Promise<OpenedRun> {
  const existing = named ? await agent.store.journal.load(run.id) : undefined;
  if (existing) return answered(agent, run, input, existing);
  const trace = openRunTrace(run, false);
  const started = startedEntry(agent, run, input, terms, trace.traceId);
  if (await agent.store.journal.create(run.id, [encode(started)])) return { run, input, terms, epoch: 1, entries: [started], trace };
  trace.end(new AgentError("run_id_conflict", "Another process started this run first."));
  return answered(agent, run, input, (await agent.store.journal.load(run.id)) ?? []);
}

/** A run to go on with, under raised terms if given; one that has ended is only answered. Throws `run_not_found`. */
export async function openResumed(
  agent: AgentParts,
  runId: string,
  given: unknown,
  raise: (terms: RunTerms) => RunTerms,
): Promise<OpenedRun> {
  const claim = await agent.store.journal.claim(runId);
  if (!claim) throw new AgentError("run_not_found", `There is no run ${runId} in this store.`, { details: { runId } });
  const entries = claim.lines.map(decode);
  const { run, input, terms } = read(agent, entries, given);
  const { epoch } = claim;
  if (entries.some(({ type }) => type === "run.ended")) return { run, input, terms, epoch, entries, trace: noTrace };
  const raised = raise(terms);
  const resumed: Entry = { type: "run.resumed", at: agent.clock.now(), agentVersion: agent.version, terms: raised };
  await agent.store.journal.append(runId, { epoch, sequence: entries.length }, [encode(resumed)], "running");
  return { run, input, terms: raised, epoch, entries: [...entries, resumed], trace: openRunTrace(run, true) };
}

/** Every entry of a run, for views. Throws `run_not_found`. */
export async function loadEntries(agent: AgentParts, runId: string): Promise<readonly Entry[]> {
  const lines = await agent.store.journal.load(runId);
  if (!lines) throw new AgentError("run_not_found", `There is no run ${runId} in this store.`, { details: { runId } });
  return lines.map(decode);
}

function answered(agent: AgentParts, asked: RunFacts, input: RunInput, lines: readonly string[]): OpenedRun {
  const entries = lines.map(decode);
  const { run, terms } = read(agent, entries, asked.context);
  const started = startedOf(entries);
  if (!sameInput(started.input, input)) throw otherInput(asked.id);
  if (isClosed(entries)) return { run, input, terms, epoch: 0, entries, trace: noTrace };
  throw new AgentError("run_active", `The run ${asked.id} has not ended, and is not run by this agent object.`, {
    details: { runId: asked.id },
  });
}

const isClosed = (entries: readonly Entry[]) => {
  const last = entries.findLast(({ type }) => type === "run.ended" || type === "run.stopped" || type === "run.resumed");
  return last !== undefined && last.type !== "run.resumed";
};

function startedOf(entries: readonly Entry[]) {
  const [first] = entries;
  if (first?.type !== "run.started") throw new AgentError("journal_format_unknown", "This journal does not begin with the start of a run.");
  return first;
}

/** What the journal says of the run; only the live context has to be given again. */
function read(agent: AgentParts, entries: readonly Entry[], context: unknown): Pick<OpenedRun, "run" | "input" | "terms"> {
  const started = startedOf(entries);
  if (started.agent !== agent.name) {
    throw new AgentError("run_id_conflict", `The run ${started.runId} belongs to the agent ${started.agent}.`, {
      details: { runId: started.runId },
    });
  }
  const resumed = entries.findLast((entry) => entry.type === "run.resumed");
  const { user, conversationId } = started;
  const run: RunFacts = {
    id: started.runId,
    agent: agent.name,
    agentVersion: agent.version,
    ...(user ? { user } : {}),
    ...(conversationId === undefined ? {} : { conversationId }),
    context,
  };
  return { run, input: started.input, terms: resumed?.terms ?? started.terms };
}

function startedEntry(agent: AgentParts, run: RunFacts, input: RunInput, terms: RunTerms, traceId: string | undefined): Entry {
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
    ...(traceId === undefined ? {} : { traceId }),
    terms,
  };
}

/** The error of asking for a run that exists with something else. */
export const otherInput = (runId: string) =>
  new AgentError("run_id_conflict", `The run ${runId} was started with another input.`, { details: { runId } });

/** Whether two inputs say the same, whatever the order of their keys. */
export function sameInput(one: unknown, other: unknown): boolean {
  assertJson(one);
  assertJson(other);
  return canonicalJson(one) === canonicalJson(other);
}
