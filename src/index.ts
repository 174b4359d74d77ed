// The public face of the root entry, in reading order. What is not named here is not part of the contract.
export { type Agent, createAgent, type OutputOf } from "./agent.ts";
export type { BudgetAddress, BudgetDescription } from "./control/budget-address.ts";
export type { BudgetChange } from "./control/budget-changes.ts";
export type { BudgetState } from "./control/budget-standing.ts";
export type { Accountable, BudgetChangeQuery, BudgetControl, BudgetQuery } from "./control/budgets.ts";
export { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "./control/control-plane.ts";
export type { Clock } from "./core/clock.ts";
export type { Charge, Cost, Measure, Reserved } from "./core/cost.ts";
export { AgentError, type AgentErrorOptions, type ErrorCode, type ErrorDetails, errorCodes, type StoredError } from "./core/errors.ts";
export type { RunEvent } from "./core/events.ts";
export type { Principal, RunFacts } from "./core/facts.ts";
export type { Finding, GuardPoint, Guardrail, Guardrails, Subject, Verdict, VerdictRecord } from "./core/guardrail.ts";
export type { Entry, Origin, RunCaps } from "./core/journal.ts";
export type { Json, JsonObject, JsonSchema } from "./core/json.ts";
export type { StepCost, WorstCase } from "./core/ledger.ts";
export {
  type AssistantMessage,
  type AssistantPart,
  callsOf,
  type FilePart,
  type Message,
  type ReasoningPart,
  type RunInput,
  type SystemMessage,
  type TextPart,
  type ToolCall,
  type ToolMessage,
  textOf,
  type UserMessage,
  type UserPart,
} from "./core/message.ts";
export type { Middleware, ModelCall, StageCall, ToolCallInfo } from "./core/middleware.ts";
export type {
  FinishReason,
  Model,
  ModelContext,
  ModelOffer,
  ModelRequest,
  ModelResponse,
  ModelSettings,
  RateLimit,
  RateLimits,
  ToolSpec,
} from "./core/model.ts";
export { fallback, type ModelChoice, type ModelFallback, type ModelRoute, type RouteQuestion, route } from "./core/model-choice.ts";
export type { Outcome, Waiting } from "./core/outcome.ts";
export type { KnownPrice, ModelPrice, TokenRates } from "./core/price.ts";
export { type ProviderFailure, providerError } from "./core/provider-error.ts";
export type {
  ChildUsage,
  Degraded,
  Missing,
  PartialAnswer,
  Refusal,
  ResultFacts,
  RunCost,
  RunEnd,
  RunResult,
  RunStatus,
  RunUsage,
  Simulated,
  Spent,
  Timings,
  Tried,
} from "./core/result.ts";
export type { Run } from "./core/run.ts";
export type { AnySchema, CompiledSchema, InferSchema } from "./core/schema.ts";
export type { Repeat, Step, StepContext, Terms } from "./core/step.ts";
export type {
  Claim,
  CounterState,
  Counters,
  Granted,
  Hold,
  Inbox,
  InboxMessage,
  Journal,
  Lease,
  OpenHold,
  Records,
  Refused,
  RunHeader,
  RunPhase,
  RunQuery,
  RunSummary,
  Store,
  Versioned,
  WholeStore,
} from "./core/store.ts";
export {
  type ActOutcome,
  type Effect,
  type RetryOptions,
  type Risk,
  type Tool,
  type ToolContext,
  type ToolCost,
  type ToolFailure,
  type ToolOptions,
  type ToolResult,
  tool,
  toolDefaults,
  toolError,
} from "./core/tool.ts";
export type { Usage } from "./core/usage.ts";
export { exportRun, importRun } from "./journal/export-run.ts";
export { type MemoryStoreOptions, memoryStore } from "./journal/memory.ts";
export { modelRequests, type RecordedRequest } from "./journal/views/model-requests.ts";
export { type DiffRow, type DiffSide, diffRuns, renderDiff } from "./journal/views/run-diff.ts";
export { type TimelineRow, timeline } from "./journal/views/timeline.ts";
export type { Answer, Instructions, Plan, StageLine, Stages } from "./pipeline/line.ts";
export type { TextWindow } from "./pipeline/text-window.ts";
export type { Thread } from "./pipeline/thread.ts";
export type {
  AmountLimits,
  BudgetLimit,
  BudgetLimits,
  BudgetOptions,
  CustomBudget,
  NearOptions,
  WrapUpOptions,
} from "./policy/budgets/budget-options.ts";
export type { EffectLimit, EffectLimits } from "./policy/effects/effect-options.ts";
export { type SlicedCounters, type SliceOptions, type SliceTerms, sliced } from "./policy/slices/slices.ts";
export type { Per, WindowOptions } from "./policy/windows.ts";
export type { BreakerOptions } from "./resilience/circuit-breaker.ts";
export {
  type AgentLimitOptions,
  type AgentOptions,
  agentDefaults,
  type ForkChanges,
  type ForkOptions,
  type LimitOptions,
  type PolicyOptions,
  type ReplayOptions,
  type ResilienceOptions,
  type ResumeOptions,
  type RunOptions,
  type TimeoutOptions,
} from "./runs/agent-options.ts";
export { type AgentToolOptions, type ArgumentsOf, agentToolDefaults } from "./runs/agent-tool.ts";
export { type PriceOptions, price } from "./runs/price.ts";
export { type RecoverOptions, type Recovery, recoverDefaults } from "./runs/recovery.ts";
export type { RunStream } from "./runs/run-stream.ts";
