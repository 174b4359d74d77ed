// Mistakes in options are found before anything is spent: what is unknown or of the wrong kind is an error that names it, never ignored.
import { AgentError, type ErrorCode } from "../core/errors.ts";
import type { Principal } from "../core/facts.ts";
import type { Guardrail } from "../core/guardrail.ts";
import type { RunInput } from "../core/message.ts";
import type { AgentOptions, PolicyOptions, ResumeOptions, RunOptions } from "./agent-options.ts";
import { checkConversation } from "./check-conversation.ts";

type Checker = (value: unknown) => boolean;
type Checks = Readonly<Record<string, Checker>>;

const isText: Checker = (value) => typeof value === "string" && value.trim() !== "" && value.length <= 512;
const isObject: Checker = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isFunction: Checker = (value) => typeof value === "function";
const isCount: Checker = (value) => Number.isInteger(value) && Number(value) >= 0;
const isNumber: Checker = (value) => typeof value === "number" && Number.isFinite(value);
const isTime: Checker = (value) => isNumber(value) && Number(value) > 0;
const isFlag: Checker = (value) => typeof value === "boolean";
const isList: Checker = (value) => Array.isArray(value);
const isTextList: Checker = (value) => Array.isArray(value) && value.every((item) => typeof item === "string");
const anything: Checker = () => true;
const oneOf =
  (...allowed: readonly string[]): Checker =>
  (value) =>
    typeof value === "string" && allowed.includes(value);
const objectWith =
  (...methods: readonly string[]): Checker =>
  (value) =>
    typeof value === "object" && value !== null && methods.every((method) => isFunction(Reflect.get(value, method)));

const clockChecks = objectWith("now", "after");
const journalChecks = objectWith("create", "claim", "load", "append");

const agentChecks: Checks = {
  name: isText,
  version: isText,
  model: objectWith("call"),
  instructions: (value) => typeof value === "string" || isFunction(value),
  tools: isObject,
  guardrails: isObject,
  output: (value) => isObject(value) || isFunction(value),
  settings: isObject,
  policy: isObject,
  resilience: isObject,
  use: isList,
  stages: isObject,
  store: (value) => typeof value === "object" && value !== null && journalChecks(Reflect.get(value, "journal")),
  clock: clockChecks,
};

const settingChecks: Checks = {
  maxOutputTokens: isCount,
  temperature: isNumber,
  topP: isNumber,
  seed: isNumber,
  stop: isTextList,
  reasoningEffort: oneOf("none", "minimal", "low", "medium", "high"),
  toolChoice: oneOf("auto", "none", "required"),
  parallelToolCalls: isFlag,
};

const pointChecks: Checks = { input: isList, toolInput: isList, toolOutput: isList, output: isList };
const retryChecks: Checks = { attempts: (value) => isCount(value) && value !== 0, baseMs: isTime, maxMs: isTime };
const breakerChecks: Checks = { failures: isCount, of: isCount, withinMs: isTime, resetMs: isTime };
const limitChecks: Checks = { turns: isCount, toolCalls: isCount, invalidCalls: isCount, identicalCalls: isObject };
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
  limits: isObject,
  timeouts: isObject,
  onBreak: oneOf("cancel", "continue"),
  user: isObject,
};
const runChecks: Checks = { ...resumeChecks, runId: isText, conversationId: isText };
const userChecks: Checks = { id: isText, roles: isTextList, tenant: isText };

/** Throws `errorCode` for an option that is unknown or of the wrong kind; one that is undefined counts as not given. */
function check(errorCode: ErrorCode, where: string, given: object, checks: Checks) {
  for (const [name, value] of Object.entries(given)) {
    const holds = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!holds) throw new AgentError(errorCode, `${where} knows no option "${name}"; it takes ${Object.keys(checks).join(", ")}.`);
    if (value !== undefined && !holds(value)) throw new AgentError(errorCode, `${where} cannot use what was given as "${name}".`);
  }
}

/** Throws `configuration_invalid`. Tools check themselves when they are made. */
export function checkAgentOptions(options: AgentOptions): void {
  const code = "configuration_invalid";
  if (!isObject(options)) throw new AgentError(code, "createAgent needs an object of options.");
  if (!options.name) throw new AgentError(code, 'createAgent needs a "name": it is in every journal and span.');
  if (!objectWith("call")(options.model)) throw new AgentError(code, "createAgent needs a model, e.g. openai(...) of airworthy/openai.");
  check(code, "createAgent", options, agentChecks);
  const { policy = {}, resilience = {}, guardrails = {}, stages = {}, settings = {}, use = [] } = options;
  check(code, "settings", settings, settingChecks);
  check(code, "policy", policy, { limits: isObject, timeouts: isObject });
  checkPolicy(code, policy, { totalMs: isTime, stepMs: isTime });
  check(code, "resilience", resilience, { retry: isObject, breaker: isObject });
  check(code, "retry", resilience.retry ?? {}, retryChecks);
  check(code, "breaker", resilience.breaker ?? {}, breakerChecks);
  check(code, "guardrails", guardrails, pointChecks);
  for (const guardrail of Object.values({ ...guardrails }).flat()) checkGuardrail(guardrail);
  check(code, "stages", stages, stageChecks);
  for (const middleware of use) check(code, "use", Object(middleware), middlewareChecks);
}

// Not for unknown properties: a guardrail may be an instance of a class with state of its own.
function checkGuardrail(guardrail: Guardrail | undefined) {
  const wrong = (what: string) => new AgentError("configuration_invalid", `A guardrail ${what}.`);
  if (typeof guardrail?.check !== "function") throw wrong("needs a check function");
  if (!isText(guardrail.name)) throw wrong("needs a name: results and spans say which one decided");
  const { timeoutMs = 1, onError = "refuse" } = guardrail;
  if (!isTime(timeoutMs)) throw wrong("needs a positive timeoutMs");
  if (onError !== "refuse" && onError !== "allow") throw wrong('has an onError that is neither "refuse" nor "allow"');
}

function checkPolicy(code: ErrorCode, { limits = {}, timeouts = {} }: PolicyOptions, times: Checks) {
  check(code, "limits", limits, limitChecks);
  const identical = limits.identicalCalls ?? {};
  check(code, "identicalCalls", identical, { warnAt: isCount, stopAt: isCount });
  if (identical.warnAt !== undefined && identical.stopAt !== undefined && identical.warnAt > identical.stopAt) {
    throw new AgentError(code, "identicalCalls cannot warn after it has stopped: warnAt is larger than stopAt.");
  }
  check(code, "timeouts", timeouts, times);
}

/** Throws `input_invalid`. */
export function checkResumeOptions(runId: string, options: ResumeOptions): void {
  if (!isText(runId)) throw new AgentError("input_invalid", "resume needs the id of a run.");
  if (!isObject(options)) throw new AgentError("input_invalid", "resume needs an object of options.");
  check("input_invalid", "resume", options, resumeChecks);
  checkPolicy("input_invalid", options, { totalMs: isTime });
  checkUser(options.user);
}

function checkUser(user: Principal | undefined) {
  if (!user) return;
  check("input_invalid", "user", user, userChecks);
  if (!user.id) throw new AgentError("input_invalid", "A user needs an id.");
}

/** Throws `input_invalid`, before anything is written or spent. */
export function checkRunOptions(input: RunInput, options: RunOptions): void {
  if (!isObject(options)) throw new AgentError("input_invalid", "run needs an object of options.");
  check("input_invalid", "run", options, runChecks);
  checkPolicy("input_invalid", options, { totalMs: isTime });
  checkUser(options.user);
  checkConversation(input);
}
