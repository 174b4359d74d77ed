// Asks for the answer of one turn: which tier, and of its models the first that can answer. Both are choices, so a later pass takes them again.
import { AgentError, type ErrorCode, isOfThePass } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import { done, failed, type Outcome } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import { spanEvents } from "../core/trace.ts";
import { type Answered, type Asking, askedStep, askModel, keyOf } from "./ask-model.ts";
import { type Candidate, onlyTier } from "./candidates.ts";
import type { Line } from "./line.ts";
import { nearBudget, watchesBudgets } from "./near-budget.ts";

type Tier = readonly [Candidate, ...Candidate[]];

export async function ask(run: Run, line: Line, turn: number): Promise<Outcome<Answered>> {
  const tier = await tierOf(run, line, turn);
  if (tier.status !== "done") return tier;
  const outcome = await askInOrder(run, line, tier.value, turn);
  return outcome.status === "failed" && line.window.hasShown(turn) ? brokenOff(outcome.error) : outcome;
}

/** A budget that is nearly used up goes before the agent's own choice. */
function tierOf(run: Run, line: Line, turn: number): Promise<Outcome<Tier>> {
  return watchesBudgets(line) ? tierByBudget(run, line, turn) : tierByRoute(run, line, turn);
}

async function tierByBudget(run: Run, line: Line, turn: number): Promise<Outcome<Tier>> {
  const cheaper = await nearBudget(run, line, run.tried(keyOf(0)) > 0);
  if (cheaper.status !== "done") return cheaper;
  if (!cheaper.value) return tierByRoute(run, line, turn);
  const [first] = [...line.agent.models.tiers.values()][0] ?? cheaper.value;
  const by = cheaper.value[0].model.id;
  if (first.model.id !== by) line.degraded.push({ model: first.model.id, by, key: run.path + keyOf(0) });
  return done(cheaper.value);
}

async function tierByRoute(run: Run, { agent, thread }: Line, turn: number): Promise<Outcome<Tier>> {
  const { tiers, route } = agent.models;
  const past = route && run.chosen<string>("route");
  const name = route
    ? await run.decide("route", () => route.choose({ run: run.facts, turn, messages: [...thread.messages] }), "route")
    : done(onlyTier);
  if (name.status !== "done") return name;
  // An agent may have other tiers by now; what the turn was answered is recorded all the same.
  const tier = tiers.get(name.value) ?? (past === undefined ? undefined : [...tiers.values()][0]);
  if (tier) return done(tier);
  throw new AgentError("configuration_invalid", "`choose` of route() answered something that is none of its tiers.", {
    details: { tiers: [...tiers.keys()] },
  });
}

/** What went wrong with one model and need not with another: all that a model says, and nothing that is said by us or the caller. */
const worthAskingAnother: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "rate_limited",
  "quota_exhausted",
  "provider_unavailable",
  "provider_rejected",
  "authentication_failed",
  "context_too_long",
  "model_response_invalid",
  "circuit_open",
  "step_timeout",
  "first_token_timeout",
  "idle_timeout",
]);

/** The choice to ask another model, as the journal keeps it. */
interface FallenBack {
  readonly to: number;
  readonly because: ErrorCode;
}

/** A later pass goes on with the model the run had come to, and asks the others after it. Each is asked at most once a pass. */
async function askInOrder(run: Run, line: Line, tier: Tier, turn: number): Promise<Outcome<Answered>> {
  const fresh = line.thread.takeNew();
  const past = pastFallbacks(run, tier.length);
  let { position } = past;
  const askingAt = (at: number): Asking => ({
    candidate: tier[at] ?? tier[0],
    position: at,
    turn,
    fresh: recordsMessages(run, tier, at) ? fresh : [],
  });
  for (const at of tier.keys()) if (at !== position && run.tried(keyOf(at)) > 0) run.passOver(askedStep(askingAt(at)));
  for (let asked = 1; ; asked++) {
    const asking = askingAt(position);
    const { candidate } = asking;
    const outcome = await askModel(run, line, asking);
    if (outcome.status === "done" && position > 0) noteDegraded(run, line, tier, position);
    if (asked === tier.length || !mayAskAnother(line, turn, outcome)) return outcome;
    const choice = { to: (position + 1) % tier.length, because: outcome.error.code };
    const chosen = await run.decide(`fallback/${past.count + asked}`, () => choice, "fallback");
    if (chosen.status !== "done") return chosen;
    run.trace.event(spanEvents.fallback, { from: candidate.model.id, to: tier[choice.to]?.model.id, reason: choice.because });
    position = choice.to;
  }
}

/** What is new in the conversation stands with the first model of the turn that was tried, whatever became of it. */
function recordsMessages(run: Run, tier: Tier, position: number): boolean {
  const own = run.asked(keyOf(position));
  if (own !== undefined) return !isJsonObject(own) || !Array.isArray(own["messages"]) || own["messages"].length > 0;
  return !tier.some((_, other) => other !== position && run.tried(keyOf(other)) > 0);
}

type Failed = Extract<Outcome<never>, { status: "failed" }>;

function mayAskAnother({ restarts, window }: Line, turn: number, outcome: Outcome<unknown>): outcome is Failed {
  return outcome.status === "failed" && worthAskingAnother.has(outcome.error.code) && (restarts || !window.hasShown(turn));
}

/** How often this turn has fallen back in earlier passes, and to which model in the end. */
function pastFallbacks(run: Run, models: number): { readonly count: number; readonly position: number } {
  let position = 0;
  for (let count = 0; ; count++) {
    const past = run.chosen<FallenBack>(`fallback/${count + 1}`);
    if (!past) return { count, position };
    // An agent may have fewer models by now; what one of the others has answered stands.
    position = past.to < models || run.tried(keyOf(past.to)) > 0 ? past.to : 0;
  }
}

function noteDegraded(run: Run, line: Line, tier: Tier, position: number) {
  const by = tier[position]?.model.id;
  if (by !== undefined) line.degraded.push({ model: tier[0].model.id, by, key: run.path + keyOf(position) });
}

/** Text that has been shown cannot be taken back, nor may anything be glued to it. What is an end for good stays what it is. */
function brokenOff(error: AgentError): Outcome<never> {
  if (error.final || isOfThePass(error.code)) return failed(error);
  const message = "The answer of the model broke off after part of it had been shown.";
  return failed(new AgentError("stream_interrupted", message, { cause: error, details: { reason: error.code } }));
}
