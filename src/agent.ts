// createAgent: the only place that knows every part. The order of the layers is decided here and nowhere else.
import type { Clock } from "./core/clock.ts";
import { AgentError } from "./core/errors.ts";
import type { GuardPoint, Guardrail, Guardrails } from "./core/guardrail.ts";
import type { RunCaps } from "./core/journal.ts";
import type { Middleware } from "./core/middleware.ts";
import type { ModelOffer, ModelSettings, ToolSpec } from "./core/model.ts";
import { done } from "./core/outcome.ts";
import { type Machinery, stageOnion } from "./core/run.ts";
import { type AnySchema, type CompiledSchema, compileSchema, type InferSchema } from "./core/schema.ts";
import { onion } from "./core/step.ts";
import { isTool, type Tool } from "./core/tool.ts";
import { outputSchema } from "./guardrails/output-schema.ts";
import { memoryStore } from "./journal/memory.ts";
import { reconciled } from "./journal/reconciled.ts";
import { announced, recorded, stageRecorded } from "./journal/recording.ts";
import { admitted } from "./pipeline/calls/admitted.ts";
import { type BudgetModels, compileCandidates, type ModelTerms } from "./pipeline/candidates.ts";
import type { AgentParts, Stages } from "./pipeline/line.ts";
import { assembleContext } from "./pipeline/stages/context.ts";
import { executeCalls } from "./pipeline/stages/executor.ts";
import { planDirectly } from "./pipeline/stages/planner.ts";
import { buildResponse } from "./pipeline/stages/response-builder.ts";
import { aroundOf, stageYours, yours } from "./pipeline/yours.ts";
import { budgetDefaults } from "./policy/budgets/budget-options.ts";
import { budgeted } from "./policy/budgets/budgeted.ts";
import { type Budgets, compileBudgets } from "./policy/budgets/budgets.ts";
import { effectLimited } from "./policy/effects/effect-limited.ts";
import { checkEffectTools } from "./policy/effects/effect-options.ts";
import { compileEffects } from "./policy/effects/effects.ts";
import { halted } from "./policy/halted.ts";
import { priceFor } from "./policy/prices/price-list.ts";
import { createTokenCounter } from "./policy/tokens/request-tokens.ts";
import { type BreakerOptions, createCircuitBreakers } from "./resilience/circuit-breaker.ts";
import { retried } from "./resilience/retry.ts";
import { systemClock } from "./resilience/system-clock.ts";
import { timed } from "./resilience/timeout.ts";
import {
  type AgentOptions,
  agentDefaults,
  capsOf,
  type ForkChanges,
  type PolicyOptions,
  type ResilienceOptions,
  type TimeoutOptions,
} from "./runs/agent-options.ts";
import { type AgentToolOptions, type ArgumentsOf, agentTool } from "./runs/agent-tool.ts";
import { checkAgentBudgets } from "./runs/check-budget.ts";
import { checkAgentOptions } from "./runs/check-options.ts";
import { createRuns, type Runs } from "./runs/runs.ts";
import { slicedStore } from "./runs/sliced-store.ts";
import { openRunTrace } from "./telemetry/open-telemetry.ts";
import { attempted, stageTraced, traced } from "./telemetry/spans.ts";

/** An agent: frozen, free of run state, safe to share by any number of concurrent runs of any tenants. */
export interface Agent<Output = string> extends Runs<Output> {
  readonly name: string;
  readonly version: string;
  /**
   * This agent as a tool of others: a call of it is a run of its own within the run that calls. Throws `configuration_invalid`. `Told`: what
   * the caller's model reads, the agent's output when `output` is not given.
   */
  asTool<Schema extends AnySchema = AnySchema, Told = Output>(
    options: AgentToolOptions<Output, Schema, Told>,
  ): Tool<ArgumentsOf<Schema>, Told>;
}

/** What an agent with this `output` option answers: text when there is none. */
export type OutputOf<Schema> = AnySchema extends Schema ? string : InferSchema<Schema>;

/** Checks everything once and compiles it. Throws `configuration_invalid`, before any money is spent. */
export function createAgent<Schema extends AnySchema = AnySchema>(options: AgentOptions<Schema>): Agent<OutputOf<Schema>> {
  checkAgentOptions(options);
  const rules = rulesOf(options.policy ?? {});
  const keeping = slicedStore(options.store ?? memoryStore(), rules.budgets, options.clock ?? systemClock);
  const parts = resolve(options, rules, keeping);
  checkAgentBudgets(parts);
  // A fork may have other tools than those that are limited.
  checkEffectTools("configuration_invalid", options.policy?.limits?.effects ?? {}, parts.tools);
  const change = (changes: ForkChanges) => {
    const changed = { ...options, ...changes };
    checkAgentOptions(changed);
    const changedParts = resolve(changed, rules, keeping);
    checkAgentBudgets(changedParts);
    return changedParts;
  };
  return Object.freeze({
    name: parts.name,
    version: parts.version,
    ...createRuns<OutputOf<Schema>>(parts, change),
    asTool: <Asked extends AnySchema = AnySchema, Told = OutputOf<Schema>>(asked: AgentToolOptions<OutputOf<Schema>, Asked, Told>) =>
      agentTool(parts, asked, options.store),
  });
}

const ourStages: Stages = {
  inputFilter: (_run, _line, said) => Promise.resolve(done(said)),
  context: assembleContext,
  planner: planDirectly,
  executor: executeCalls,
  outputFilter: (_run, _line, { text }) => Promise.resolve(done(text)),
  responseBuilder: buildResponse,
};

type Rules = Pick<AgentParts, "budgets" | "effects" | "tokens" | "knownBudgets">;
type Keeping = Pick<AgentParts, "store" | "plainStore" | "giveBack">;

function resolve(options: AgentOptions, rules: Rules, keeping: Keeping): AgentParts {
  const { policy = {}, resilience = {} } = options;
  const clock = options.clock ?? systemClock;
  const tools = toolsByName(options.tools ?? {});
  const output = options.output && compileSchema(options.output, "output");
  const guardrails = guardrailsOf(options.guardrails ?? {}, output);
  const middleware = options.use ?? [];
  const { budgets } = rules;
  const { totalMs, ...timeouts } = { ...agentDefaults.timeouts, ...given(policy.timeouts) };
  return Object.freeze({
    name: options.name,
    version: options.version ?? agentDefaults.version,
    models: compileCandidates(
      options.model,
      offerOf(tools, options.settings ?? {}, output),
      modelTerms(resilience, timeouts),
      budgetModels(options, budgets),
    ),
    instructions: options.instructions,
    tools,
    guardrails,
    output,
    around: aroundOf(middleware),
    stages: { ...ourStages, ...options.stages },
    held: {
      answers: guardrails.output.length > 0 || options.stages?.outputFilter !== undefined,
      calls: guardrails.toolInput.length > 0,
    },
    machinery: machineryOf(clock, middleware, breakerOf(resilience.breaker)),
    caps: firstCaps(policy, totalMs, budgets),
    ...rules,
    openTrace: openRunTrace,
    clock,
    ...keeping,
    leaseMs: options.leaseMs ?? agentDefaults.leaseMs,
  });
}

const rulesOf = ({ budget, limits }: PolicyOptions): Rules => ({
  budgets: compileBudgets(budget),
  effects: compileEffects(limits?.effects),
  tokens: createTokenCounter(budget?.countTokens),
  knownBudgets: new Set(),
});

const firstCaps = (policy: PolicyOptions, totalMs: number, { run }: Budgets): RunCaps =>
  capsOf(policy, { ...agentDefaults.limits, totalMs, ...(run ? { budget: run } : {}) });

const modelTerms = (
  { retry }: ResilienceOptions,
  { stepMs, firstTokenMs, idleMs }: Required<Omit<TimeoutOptions, "totalMs">>,
): ModelTerms => ({
  ...agentDefaults.retry,
  ...retry,
  timeoutMs: stepMs,
  firstTokenMs,
  idleMs,
});

/** Prices hold at the time the agent is made; what its clock says is of no matter. */
const budgetModels = ({ policy, prices }: AgentOptions, { any }: Budgets, { near, wrapUp = {} } = policy?.budget ?? {}): BudgetModels => ({
  cheaper: near?.downgradeTo,
  wrapUpTokens: any && wrapUp ? (wrapUp.maxOutputTokens ?? budgetDefaults.wrapUp.maxOutputTokens) : undefined,
  priceOf: (model) => priceFor(model, { prices, now: systemClock.now() }),
});

function offerOf(byName: ReadonlyMap<string, Tool>, settings: ModelSettings, schema: CompiledSchema | undefined): ModelOffer {
  const tools = [...byName].map(
    ([name, { description, input }]): ToolSpec => Object.freeze({ name, description, inputSchema: input.jsonSchema }),
  );
  const output = schema && { name: "answer", schema: schema.jsonSchema };
  return { tools: Object.freeze(tools), settings, ...(output ? { output } : {}) };
}

/** Each kind of step gets the layers it needs, outermost first. Why each stands where it stands: docs/architecture.md. */
function machineryOf(clock: Clock, middleware: readonly Middleware[], breaker: BreakerOptions): Machinery {
  const { layer: broken } = createCircuitBreakers(breaker, clock);
  const attempt = [retried, broken, budgeted, announced, attempted, timed];
  return {
    steps: {
      model: onion([recorded, halted, yours, traced, ...attempt]),
      tool: onion([recorded, halted, admitted, yours, traced, effectLimited, reconciled, ...attempt]),
      custom: onion([recorded, halted, admitted, yours, traced, reconciled, ...attempt]),
    },
    stage: stageOnion([stageRecorded, stageYours(middleware), stageTraced]),
  };
}

/** Who says how many failures, and not of how many, means a count and not a rate. */
function breakerOf(given: Partial<BreakerOptions> = {}): BreakerOptions {
  const { of: ofDefault, ...defaults } = agentDefaults.breaker;
  return { ...defaults, ...(given.failures === undefined && ofDefault !== undefined ? { of: ofDefault } : {}), ...given };
}

// A Map, so that no name a model makes up finds anything but a tool; sorted, so that the same tools listed in another order are the same
// request to a provider that caches prompts.
function toolsByName(tools: Readonly<Record<string, Tool>>): ReadonlyMap<string, Tool> {
  for (const [name, tool] of Object.entries(tools)) {
    if (!/^[\w-]{1,64}$/.test(name)) throw wrong(`The tool name "${name}" is not one to 64 letters, digits, "_" or "-".`);
    if (!isTool(tool)) throw wrong(`The tool "${name}" was not made by tool(); wrap it: ${name}: tool({ ... }).`);
  }
  return new Map(Object.entries(tools).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

/** The shape of the answer is checked last, on what the other guardrails left. */
function guardrailsOf(given: Guardrails, output: CompiledSchema | undefined): Readonly<Record<GuardPoint, readonly Guardrail[]>> {
  const { input = [], toolInput = [], toolOutput = [] } = given;
  return {
    input: [...input],
    toolInput: [...toolInput],
    toolOutput: [...toolOutput],
    output: [...(given.output ?? []), ...(output ? [outputSchema(output)] : [])],
  };
}

/** An option that is undefined counts as not given. */
const given = (timeouts: TimeoutOptions = {}): TimeoutOptions =>
  Object.fromEntries(Object.entries(timeouts).filter(([, ms]) => ms !== undefined));

const wrong = (message: string) => new AgentError("configuration_invalid", message);
