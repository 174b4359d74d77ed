// A run within a run: found by its id, started or gone on with, and told to the run above as what that has to make of it.
import type { ChildCall, ChildEnd } from "../core/child.ts";
import { AgentError, toAgentError } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import type { RunInput } from "../core/message.ts";
import { done, failed, type Outcome, refused, suspended } from "../core/outcome.ts";
import type { RunResult, Taken } from "../core/result.ts";
import { decode } from "../journal/codec.ts";
import { isToolFailure } from "../pipeline/calls/tool-failure.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { runAttributes, runSpanName } from "../telemetry/attributes.ts";
import { checkConversation } from "./check-conversation.ts";
import { drive } from "./drive.ts";
import { createRun, notYours, type OpenedRun, openResumed, sameAsked } from "./open-run.ts";

/**
 * Starts the run of the call's id, goes on with it when it has begun, answers it from its journal when it has ended. Throws `input_invalid`
 * for an input that is none; all else is an outcome.
 */
export async function runChild(agent: AgentParts, input: RunInput, call: ChildCall): Promise<ChildEnd> {
  checkConversation(input);
  const here: AgentParts = { ...agent, openTrace: (run, resumed) => below(call, run, resumed) };
  try {
    const opened = await openChild(here, input, call);
    const { signal, deadlineAt, parking } = call;
    const share = shareOf(call);
    const { count, above } = share;
    const pass = { agent: here, streamed: false, emit: undefined, parking, signal, deadlineAt, count, above };
    const result = await drive<unknown>(opened, pass);
    const { runId, usage, cost } = result;
    const used = { runId, agent: agent.name, usage, ...(cost.usd > 0 || cost.unpriced > 0 ? { cost } : {}), taken: share.taken() };
    return { outcome: outcomeOf(agent.name, result, share.stop()), used };
  } catch (thrown) {
    const error = toAgentError(thrown, "journal_unavailable", "The store could not be read or written; nothing was started.");
    return { outcome: isToolFailure(error) ? noAnswer(agent.name, call.runId, "failed", error) : failed(error) };
  }
}

/** What the run takes of what its caller has left, and the limit above that stopped it, if one did. */
function shareOf(call: ChildCall) {
  let taken: Taken = { turns: 0, toolCalls: 0 };
  let stop: AgentError | undefined;
  const count = (more: Taken) => {
    const refusal = call.count(more);
    // What a sibling further down may still take undoes no stop.
    if (refusal) stop ??= refusal;
    else taken = more;
    return refusal;
  };
  const refusedAbove = (error: AgentError) => {
    stop ??= error;
  };
  return { count, above: { limits: call.budgets, refused: refusedAbove }, taken: () => taken, stop: () => stop };
}

/** Handed on explicitly: the span nests below the call in whatever async context that is made. */
const below = ({ trace }: ChildCall, run: RunFacts, resumed: boolean) =>
  trace.child(runSpanName(run.agent), "internal", runAttributes(run, resumed));

/** Whoever owns the run above owns this one: it is taken over from an earlier owner without asking, and has no lease of its own. */
async function openChild(agent: AgentParts, input: RunInput, { runId, parent }: ChildCall): Promise<OpenedRun> {
  const run = partOf(parent, agent, runId);
  const lines = await agent.store.journal.load(runId);
  const started = lines ? undefined : await createRun(agent, { run, input, caps: agent.caps, lease: undefined });
  if (started) return started;
  // An earlier owner of the run above, who does not know it yet, may have been quicker.
  if (lines) checkPart(run, lines[0]);
  return openResumed(agent, { runId, context: run.context, user: run.user, raise: (caps) => caps, lease: undefined });
}

/** The principal is the very one of the run above: nobody gains a right by being called. */
const partOf = ({ id, user, conversationId, context }: RunFacts, { name, version }: AgentParts, runId: string): RunFacts => ({
  id: runId,
  agent: name,
  agentVersion: version,
  ...(user ? { user } : {}),
  ...(conversationId === undefined ? {} : { conversationId }),
  parent: id,
  context,
});

/** Only stores that are not the same for all can hold a run of this id that is part of another. */
function checkPart({ id, parent, user, conversationId }: RunFacts, line = "") {
  const first = decode(line);
  if (first.type !== "run.started") return;
  const asked = { input: "", user, conversationId };
  if (first.parent !== parent || !sameAsked(asked, { input: "", user: first.user, conversationId: first.conversationId }))
    throw notYours(id);
}

/** What stops every run of the tree stops the run above; what an agent could not do is an answer to its caller. */
function outcomeOf(name: string, result: RunResult<unknown>, stop: AgentError | undefined): Outcome<unknown> {
  const { runId } = result;
  // The limit is the caller's, and so is the stop: raised, both go on.
  if (stop && "error" in result && result.error.code === stop.code) return refused(stop);
  switch (result.status) {
    case "completed":
      return done(result.output);
    case "suspended":
      return suspended(result.waitingFor.map((waiting) => ({ runId, ...waiting })));
    case "halted":
      return { status: "halted", error: result.error };
    case "cancelled":
      return noAnswer(name, runId, result.status, result.error);
    case "failed":
      if (!isToolFailure(result.error)) return failed(result.error);
      return noAnswer(name, runId, result.status, result.error, result.resumable);
    case "refused":
    case "escalated":
    case "partial":
      return noAnswer(name, runId, result.status, result.error);
  }
}

/** Only words of ours: what the agent was asked and what it found stay in its own run. A rule's no is told as one, and asks no fallback. */
function noAnswer(
  name: string,
  runId: string,
  status: RunResult["status"],
  { code, retryable }: AgentError,
  again = false,
): Outcome<never> {
  const told = status === "refused" || status === "escalated";
  return failed(
    new AgentError("child_failed", `The agent ${name} came to no answer: ${status} (${code}).`, {
      retryable: again && retryable,
      details: { agent: name, runId, status, code, ...(told ? { told } : {}) },
    }),
  );
}
