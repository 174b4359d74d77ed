// Forks a run: a new run that begins with what another did up to the end of one of its turns, and goes on by itself. The other is untouched.
import { uuidv7 } from "uuidv7";
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Principal, RunFacts } from "../core/facts.ts";
import { closingIn, type Entry, journalFormat, type Origin, type RunCaps } from "../core/journal.ts";
import type { RunInput } from "../core/message.ts";
import type { Lease } from "../core/store.ts";
import { noTrace } from "../core/trace.ts";
import { decode, encode } from "../journal/codec.ts";
import { entriesUntil, finishedTurns } from "../journal/views/turns.ts";
import type { AgentParts, Instructions } from "../pipeline/line.ts";
import { settleInstructions } from "../pipeline/stages/context.ts";
import { type ForkChanges, type ForkOptions, raisedBy } from "./agent-options.ts";
import { checkForkOptions } from "./check-options.ts";
import {
  headerOf,
  loadEntries,
  notYours,
  type OpenedRun,
  openFree,
  readRun,
  runActive,
  sameAsked,
  sameUser,
  startedEntry,
} from "./open-run.ts";

/** What is undefined is not changed. */
const changesOf = ({ model, instructions, tools }: ForkOptions): ForkChanges => ({
  ...(model === undefined ? {} : { model }),
  ...(instructions === undefined ? {} : { instructions }),
  ...(tools === undefined ? {} : { tools }),
});

export interface ForkRequest {
  readonly runId: string;
  readonly origin: Origin;
  readonly input: RunInput | undefined;
  readonly instructions: Instructions | undefined;
  readonly context: unknown;
  readonly user: Principal | undefined;
  /** The caller chose the id, so that a run of that id may exist. */
  readonly named: boolean;
  readonly raise: (caps: RunCaps) => RunCaps;
}

/** What is asked for, and the parts it is to run under. Throws `input_invalid`, and `configuration_invalid` for what is changed. */
export function forkRequest(
  agent: AgentParts,
  change: (changes: ForkChanges) => AgentParts,
  source: string,
  options: ForkOptions,
): { readonly request: ForkRequest; readonly parts: AgentParts } {
  checkForkOptions(source, options);
  const { at, effects, runId = uuidv7(), input, instructions, context, user } = options;
  const changes = changesOf(options);
  const origin = { runId: source, at, effects };
  const raise = raisedBy(options);
  const request = { runId, origin, input, instructions, context, user, named: options.runId !== undefined, raise };
  return { request, parts: Object.keys(changes).length > 0 ? change(changes) : agent };
}

/**
 * A new run with its beginning written, in one piece, or the one that was forked in the same way under this id: closed, to be answered,
 * or nobody's since its process died, to be gone on with. Throws
 * `run_not_found`, `run_id_conflict`, `run_active`, `input_invalid` for a turn that cannot be forked at, or what the store throws.
 */
export async function openForked(agent: AgentParts, request: ForkRequest, lease: Lease | undefined): Promise<OpenedRun> {
  const { runId, origin, user, named } = request;
  const { journal } = agent.store;
  const source = await loadEntries(agent, origin.runId);
  const known = readRun(agent, source, request.context);
  if (user && !sameUser(user, known.run.user)) throw notYours(origin.runId);
  const existing = named ? await journal.load(runId) : undefined;
  if (existing) return answered(agent, request, existing.map(decode), lease);
  const copies = prefixOf(source, origin, agent);

  // A fork of a run within a run is part of nothing.
  const { parent: _, ...own } = known.run;
  const run = { ...own, id: runId };
  const input = request.input ?? known.input;
  const caps = request.raise(known.caps);
  const beginning = copies.length > 0 ? await ownBeginning(agent, request, run, caps) : [];
  const trace = agent.openTrace(run, false);
  const started = { ...startedEntry(agent, run, input, caps, trace.traceId), origin };
  const entries = [copies.length > 0 ? { ...started, at: copiedAt(source) } : started, ...copies, ...beginning];
  const opened = { run, input, caps, epoch: 1, entries, trace, under: agent };
  try {
    if (await journal.create(headerOf(run), entries.map(encode), lease)) return opened;
  } catch (thrown) {
    trace.end(new AgentError("journal_unavailable", "The fork could not be written."));
    throw thrown;
  }
  trace.end(new AgentError("run_id_conflict", "Somebody else started a run of this id first."));
  return answered(agent, request, ((await journal.load(runId)) ?? []).map(decode), lease);
}

const copiedAt = (source: readonly Entry[]) => source[0]?.at ?? 0;

/** From here on the fork goes its own way: under the caps of now, and following other instructions when there are any. */
async function ownBeginning(agent: AgentParts, { instructions }: ForkRequest, run: RunFacts, caps: RunCaps): Promise<readonly Entry[]> {
  const at = agent.clock.now();
  const resumed: Entry = { type: "run.resumed", at, format: journalFormat, agentVersion: agent.version, caps };
  if (instructions === undefined) return [resumed];
  try {
    const choice = await settleInstructions(instructions, run);
    return [resumed, { type: "decided", at, key: "instructions", reason: "instructions", choice }];
  } catch (thrown) {
    throw toAgentError(thrown, "stage_failed", "The instructions of the fork threw.");
  }
}

/** What is taken over, the start left out. What it called has to be there still, for the line walks through it again. */
function prefixOf(source: readonly Entry[], { runId, at }: Origin, { tools }: AgentParts): readonly Entry[] {
  if (at === "start") return [];
  const turns = finishedTurns(source);
  if (!turns.includes(at))
    throw invalid(`the run ${runId} can be forked at ${["start", ...turns].join(", ")}; it has no turn "${at}" after which it went on`);
  const copies = source.slice(1, entriesUntil(source, at));
  const called = copies.flatMap((entry) => (entry.type === "step.done" && /^turn-\d+\/tool\/\d+$/.test(entry.key) ? [entry.name] : []));
  const lost = called.find((name) => name !== "(unknown)" && !tools.has(name));
  if (lost !== undefined)
    throw invalid(`the turns it begins with called ${lost}, which is none of its tools; keep that tool or fork earlier`);
  return copies;
}

const invalid = (what: string) => new AgentError("input_invalid", `This is no fork: ${what}.`);

async function answered(
  agent: AgentParts,
  { runId, origin, input, context }: ForkRequest,
  entries: readonly Entry[],
  lease: Lease | undefined,
): Promise<OpenedRun> {
  const known = readRun(agent, entries, context);
  const [started] = entries;
  const past = started?.type === "run.started" ? started.origin : undefined;
  const isSame = past?.runId === origin.runId && past.at === origin.at && past.effects === origin.effects;
  if (!isSame || !sameAsked({ input: input ?? known.input }, { input: known.input })) throw notYours(runId);
  if (closingIn(entries)) return { ...known, epoch: 0, entries, trace: noTrace, under: agent };
  const free = lease && (await openFree(agent, runId, () => ({ context }), lease));
  if (free) return { ...free, under: agent };
  throw runActive(runId);
}
