// What may be said about an agent, a run and a resume: mistakes are found before anything is written or spent.
import { childMark } from "../core/child.ts";
import { AgentError, type ErrorCode } from "../core/errors.ts";
import type { Principal } from "../core/facts.ts";
import type { Guardrail } from "../core/guardrail.ts";
import type { RunInput } from "../core/message.ts";
import { checkModel, isFallback, isRoute } from "../core/model-choice.ts";
import {
  anything,
  type Check,
  type Checks,
  checkOptions,
  isAmount,
  isCount,
  isFunction,
  isList,
  isPositiveCount,
  isRecord,
  isText,
  isTextList,
  objectWith,
  oneOf,
} from "../core/options.ts";
import { settingChecks } from "../core/settings.ts";
import { retryChecks } from "../core/tool.ts";
import { type AmountLimits, checkAmounts, checkBudget } from "../policy/budgets/budget-options.ts";
import { checkEffects } from "../policy/effects/effect-options.ts";
import { checkPrices } from "../policy/prices/check-prices.ts";
import type { AgentOptions, ForkOptions, LimitOptions, PolicyOptions, ResumeOptions, RunOptions, TimeoutOptions } from "./agent-options.ts";
import { checkConversation } from "./check-conversation.ts";

const clockChecks = objectWith("now", "after");
const journalChecks = objectWith("create", "claim", "load", "append");

const agentChecks: Checks = {
  name: isText,
  version: isText,
  model: anything,
  instructions: (value) => typeof value === "string" || isFunction(value),
  tools: isRecord,
  guardrails: isRecord,
  output: (value) => isRecord(value) || isFunction(value),
  settings: isRecord,
  prices: anything,
  policy: isRecord,
  resilience: isRecord,
  use: isList,
  stages: isRecord,
  store: (value) => typeof value === "object" && value !== null && journalChecks(Reflect.get(value, "journal")),
  leaseMs: isAmount,
  clock: clockChecks,
};

const pointChecks: Checks = { input: isList, toolInput: isList, toolOutput: isList, output: isList };
const breakerChecks: Checks = { failures: isCount, of: isCount, withinMs: isAmount, resetMs: isAmount };
const limitChecks: Checks = {
  turns: isCount,
  toolCalls: isCount,
  invalidCalls: isCount,
  identicalCalls: isRecord,
  failures: isPositiveCount,
  failuresInARow: isPositiveCount,
};
const middlewareChecks: Checks = { stage: isFunction, model: isFunction, tool: isFunction };
const stageChecks: Checks = {
  inputFilter: isFunction,
  context: isFunction,
  planner: isFunction,
  executor: isFunction,
  outputFilter: isFunction,
  responseBuilder: isFunction,
};
const resumeChecks: Checks = {
  context: anything,
  signal: (value) => value instanceof AbortSignal,
  limits: isRecord,
  timeouts: isRecord,
  budget: isRecord,
  onBreak: oneOf("cancel", "continue"),
  onInterrupted: oneOf("fail", "restart"),
  user: isRecord,
};
const isOwnRunId: Check = (value) => isText(value) && !String(value).includes(childMark);
const ownRunId = {
  holds: isOwnRunId,
  wanted: `a text of at most 512 characters without "${childMark}", which ids of runs within runs have`,
};
const runChecks: Checks = {
  ...resumeChecks,
  runId: ownRunId,
  conversationId: isText,
};
const forkChecks: Checks = {
  ...resumeChecks,
  at: isText,
  effects: oneOf("simulate", "allow"),
  runId: ownRunId,
  input: anything,
  model: anything,
  instructions: anything,
  tools: anything,
};
export const replayChecks: Checks = { context: anything };
const userChecks: Checks = { id: isText, roles: isTextList, tenant: isText };

/** Throws `configuration_invalid`. Tools check themselves when they are made. */
export function checkAgentOptions(options: AgentOptions): void {
  const code = "configuration_invalid";
  checkOptions(code, "createAgent", options, agentChecks);
  if (!options.name) throw new AgentError(code, 'createAgent needs a "name": it is in every journal and span.');
  if (!isFallback(options.model) && !isRoute(options.model)) checkModel(options.model, "createAgent");
  const { policy = {}, resilience = {}, guardrails = {}, stages = {}, settings = {}, use = [] } = options;
  checkOptions(code, "settings", settings, settingChecks);
  checkOptions(code, "policy", policy, { limits: isRecord, timeouts: isRecord, budget: isRecord });
  checkMoney(code, options);
  checkPolicy(
    code,
    { ...policy, limits: checkedLimits(policy) },
    { totalMs: isAmount, stepMs: isAmount, firstTokenMs: isAmount, idleMs: isAmount },
  );
  checkOptions(code, "resilience", resilience, { retry: isRecord, breaker: isRecord });
  checkOptions(code, "retry", resilience.retry ?? {}, retryChecks);
  checkOptions(code, "breaker", resilience.breaker ?? {}, breakerChecks);
  checkOptions(code, "guardrails", guardrails, pointChecks);
  for (const guardrail of Object.values({ ...guardrails }).flat()) checkGuardrail(guardrail);
  checkOptions(code, "stages", stages, stageChecks);
  for (const middleware of use) checkOptions(code, "A middleware of `use`", middleware, middlewareChecks);
}

function checkMoney(code: ErrorCode, { policy, prices }: AgentOptions) {
  checkPrices(code, prices);
  if (!policy?.budget) return;
  checkBudget(code, policy.budget);
  const { downgradeTo } = policy.budget.near ?? {};
  if (downgradeTo) checkModel(downgradeTo, "budget.near.downgradeTo");
}

/** Checks what only an agent can limit; answers the rest. */
function checkedLimits({ limits = {} }: PolicyOptions): LimitOptions {
  const { effects, ...rest } = limits;
  checkOptions("configuration_invalid", "limits", { effects }, { effects: isRecord });
  if (effects) checkEffects("configuration_invalid", effects);
  return rest;
}

// Not for unknown properties: a guardrail may be an instance of a class with state of its own.
function checkGuardrail(guardrail: Guardrail | undefined) {
  const wrong = (what: string) => new AgentError("configuration_invalid", `A guardrail ${what}.`);
  if (typeof guardrail?.check !== "function") throw wrong("needs a check function");
  if (!isText(guardrail.name)) throw wrong("needs a name: results and spans say which one decided");
  const { timeoutMs = 1, onError = "refuse" } = guardrail;
  if (!isAmount(timeoutMs)) throw wrong("needs a positive timeoutMs");
  if (onError !== "refuse" && onError !== "allow") throw wrong('has an onError that is neither "refuse" nor "allow"');
}

interface Caps {
  readonly limits?: LimitOptions;
  readonly timeouts?: TimeoutOptions;
}

/** What a run, a resume or a fork may say about its caps. Throws `input_invalid`. */
function checkCaps(options: Caps & { readonly budget?: AmountLimits }) {
  checkPolicy("input_invalid", options, { totalMs: isAmount });
  if (options.budget) checkAmounts("input_invalid", "budget", options.budget);
}

function checkPolicy(code: ErrorCode, { limits = {}, timeouts = {} }: Caps, times: Checks) {
  checkOptions(code, "limits", limits, limitChecks);
  const identical = limits.identicalCalls ?? {};
  checkOptions(code, "identicalCalls", identical, { warnAt: isCount, stopAt: isCount });
  if (identical.warnAt !== undefined && identical.stopAt !== undefined && identical.warnAt > identical.stopAt) {
    throw new AgentError(code, "identicalCalls cannot warn after it has stopped: warnAt is larger than stopAt.");
  }
  checkOptions(code, "timeouts", timeouts, times);
}

/** Throws `input_invalid`. */
export function checkResumeOptions(runId: string, options: ResumeOptions): void {
  if (!isText(runId)) throw new AgentError("input_invalid", "resume needs the id of a run.");
  checkOptions("input_invalid", "resume", options, resumeChecks);
  checkCaps(options);
  checkUser(options.user);
}

/** Throws `input_invalid`. The changed parts are checked like those of an agent. */
export function checkForkOptions(runId: string, options: ForkOptions): void {
  const code = "input_invalid";
  if (!isText(runId)) throw new AgentError(code, "fork needs the id of a run.");
  checkOptions(code, "fork", options, forkChecks);
  if (options.at === undefined) throw new AgentError(code, 'fork needs "at": the last turn to have in common, e.g. "turn-2", or "start".');
  if (options.effects === undefined)
    throw new AgentError(code, 'fork needs "effects": "simulate" executes no act of the new part, "allow" executes them.');
  checkCaps(options);
  checkUser(options.user);
  if (options.input === undefined) return;
  if (options.at !== "start")
    throw new AgentError(code, 'fork takes an "input" only at "start": later turns have answered the one there was.');
  checkConversation(options.input);
}

function checkUser(user: Principal | undefined) {
  if (!user) return;
  checkOptions("input_invalid", "user", user, userChecks);
  if (!user.id) throw new AgentError("input_invalid", "A user needs an id.");
}

/** Throws `input_invalid`, before anything is written or spent. */
export function checkRunOptions(input: RunInput, options: RunOptions): void {
  checkOptions("input_invalid", "run", options, runChecks);
  checkCaps(options);
  checkUser(options.user);
  checkConversation(input);
}
