// A tool call as a step. Its gate admits the call (arguments, schema, guardrails) and finishes the answer; every call gets exactly one result.
import { AgentError, type ErrorCode } from "../core/errors.ts";
import type { VerdictRecord } from "../core/guardrail.ts";
import type { ToolCall } from "../core/message.ts";
import { done, failed, type Outcome, stoppedBy, suspended } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import { type Next, type Reconciled, type Step, type StepContext } from "../core/step.ts";
import type { Tool, ToolContext, ToolResult } from "../core/tool.ts";
import { toolSpan } from "../telemetry/attributes.ts";
import { parseArguments } from "./arguments.ts";
import { decideGuards, guardError } from "./guard.ts";
import type { AgentParts } from "./line.ts";
import { failedResult, renderOutput, warnedResult } from "./tool-result.ts";
import { wrapTool } from "./yours.ts";

/** What the executor knows about a call besides what the model said. */
export interface CallPlace {
  readonly key: string;
  readonly tool: Tool;
  /** For the model, spans and the journal. */
  readonly name: string;
  /** The model ran out of tokens while making its calls: none of them can be trusted to be whole. */
  readonly truncated: boolean;
  /** The same call was made several times in a row. */
  readonly warned: boolean;
  /** Set when this tool stands in for another. */
  readonly insteadOf?: { readonly name: string; readonly code: ErrorCode };
}

export function toolCallStep(run: Run, agent: AgentParts, call: ToolCall, place: CallPlace): Step<ToolResult> {
  const { key, tool, name } = place;
  return {
    kind: "tool",
    key,
    name,
    input: { callId: call.callId, arguments: call.arguments },
    repeat: tool.repeat,
    terms: { ...tool.retry, timeoutMs: tool.timeoutMs, breaker: `tool ${name}` },
    span: toolSpan(name, call.callId, tool, place.insteadOf !== undefined),
    // The gate hands on a step with the validated input; this one has nothing to perform with.
    perform: () => Promise.resolve(failed(new AgentError("internal_error", "A tool step was performed without its gate."))),
    gate: (context, next) => passGate(run, agent, call, place, context, next),
  };
}

async function passGate(
  run: Run,
  agent: AgentParts,
  call: ToolCall,
  place: CallPlace,
  context: StepContext,
  next: Next,
): Promise<Outcome<ToolResult>> {
  const admitted = await admit(agent, call, place, context);
  if ("error" in admitted) return refusedCall(run.path + place.key, place, admitted, context);
  const inner = innerStep(run, agent, call, place, admitted.input);
  return finish(agent, place, await next(inner, context), admitted, context);
}

/** A call that was refused was not executed; unless an earlier pass, under other rules, had begun it. */
function refusedCall(key: string, { tool, name }: CallPlace, { error, verdicts }: Refused, { journal }: StepContext): Outcome<ToolResult> {
  const begunBefore = (journal.find(key)?.attempt ?? 0) > 0;
  if (begunBefore && tool.repeat === "never") return suspended([{ kind: "in-doubt", key, tool: name }]);
  return done(withVerdicts(failedResult(error), verdicts));
}

type Refused = { readonly verdicts: readonly VerdictRecord[]; readonly error: AgentError };
type Admitted = { readonly verdicts: readonly VerdictRecord[]; readonly input: unknown; readonly repaired: boolean };

/** Everything that can be known of a call before it is made. What it refuses, the model is told. */
async function admit(
  agent: AgentParts,
  call: ToolCall,
  { tool, name, truncated }: CallPlace,
  context: StepContext,
): Promise<Admitted | Refused> {
  const refuse = (error: AgentError, verdicts: readonly VerdictRecord[] = []): Refused => ({ error, verdicts });
  if (truncated) {
    return refuse(
      new AgentError("tool_input_truncated", `The call of ${name} was cut off before its arguments were complete; it was not executed.`),
    );
  }
  const parsed = parseArguments(call.arguments, tool.effect === "read");
  if (!parsed.ok)
    return refuse(new AgentError("tool_input_invalid", `The arguments of ${name} are not a JSON object; it was not executed.`));
  const decision = await decideGuards(
    agent.guardrails.toolInput,
    { point: "toolInput", text: JSON.stringify(parsed.value), tool: name },
    context,
  );
  const { verdicts } = decision;
  if (!decision.allowed) return refuse(guardError(decision, "toolInput"), verdicts);
  const guarded = parseArguments(decision.text, false);
  const valid = await tool.input.validate(guarded.ok ? guarded.value : decision.text);
  if (valid.ok) return { input: valid.value, verdicts, repaired: parsed.repaired };
  const issues = valid.issues.slice(0, 10).join("; ");
  return refuse(
    new AgentError("tool_input_invalid", `The arguments of ${name} do not match its schema; it was not executed. ${issues}`),
    verdicts,
  );
}

function innerStep(run: Run, agent: AgentParts, call: ToolCall, place: CallPlace, input: unknown): Step<ToolResult> {
  const { tool, name, key } = place;
  const info = { run: run.facts, key: run.path + key, tool: name, callId: call.callId, input };
  return {
    ...toolCallStep(run, agent, call, place),
    key: info.key,
    perform: (context) => perform(tool, name, input, toolContext(call, info.key, context)),
    reconcile: (context) => reconcile(place, input, toolContext(call, info.key, context)),
    ...wrapTool(agent.middleware, info),
  };
}

async function perform(tool: Tool, name: string, input: unknown, context: ToolContext): Promise<Outcome<ToolResult>> {
  let output: unknown;
  try {
    output = await tool.execute(input, context);
  } catch (thrown) {
    return failed(toolFailure(tool, name, thrown));
  }
  const valid = tool.output ? await tool.output.validate(output) : { ok: true as const, value: output };
  if (!valid.ok) return failed(new AgentError("tool_output_invalid", `${name} returned something its outputSchema does not allow.`));
  return done(renderOutput(tool, name, valid.value));
}

const toolContext = (call: ToolCall, key: string, { run, signal, attempt }: StepContext): ToolContext => ({
  callId: call.callId,
  idempotencyKey: `${run.id}/${key}`,
  signal,
  attempt,
  context: run.context,
  run,
});

/** A throw is the tool's word that it failed; a lost connection is silence. What may be repeated may be tried again. */
function toolFailure(tool: Tool, name: string, thrown: unknown): AgentError {
  if (AgentError.is(thrown)) return thrown;
  const retryable = tool.repeat !== "never" || lostConnection(thrown);
  return new AgentError("tool_failed", `${name} failed.`, { cause: thrown, retryable });
}

const silent = new Set("ECONNRESET EPIPE ETIMEDOUT ECONNABORTED UND_ERR_SOCKET UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT".split(" "));

/** The request may have arrived and been acted on; a connection that was never made is not meant. */
function lostConnection(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  if ("code" in thrown && typeof thrown.code === "string" && silent.has(thrown.code)) return true;
  return "cause" in thrown && lostConnection(thrown.cause);
}

/** What stops the run goes on; what only the tool could not do becomes a result. Result and error text pass the output guardrails. */
async function finish(
  agent: AgentParts,
  place: CallPlace,
  outcome: Outcome<ToolResult>,
  { verdicts: before, repaired }: Admitted,
  context: StepContext,
): Promise<Outcome<ToolResult>> {
  if (outcome.status !== "done" && !(outcome.status === "failed" && isToolFailure(outcome.error))) return outcome;
  const raw = outcome.status === "done" ? outcome.value : failedResult(outcome.error);
  const decision = await decideGuards(agent.guardrails.toolOutput, { point: "toolOutput", text: raw.content, tool: place.name }, context);
  const verdicts = [...before, ...decision.verdicts];
  if (!decision.allowed) {
    const error = guardError(decision, "toolOutput");
    return decision.code === "guardrail_escalated" ? stoppedBy(error) : done(withVerdicts(failedResult(error), verdicts));
  }
  const passed = decision.text === raw.content ? raw : rewritten(raw, decision.text);
  return done(withVerdicts({ ...marked(passed, place), ...(repaired ? { repaired } : {}) }, verdicts));
}

// A rewritten error must not keep its old words beside the new ones.
function rewritten(result: ToolResult, content: string): ToolResult {
  return result.error
    ? { ...result, content, error: { ...result.error, message: "withheld by a guardrail", hint: "" } }
    : { ...result, content };
}

/** Warnings and degradation are said to the model in words, after whatever the tool said. */
function marked(result: ToolResult, { warned, insteadOf }: CallPlace): ToolResult {
  const warnedOf = warned && !result.error ? warnedResult(result) : result;
  if (!insteadOf || result.error) return warnedOf;
  return {
    ...warnedOf,
    content: `${warnedOf.content}\n[degraded: answered in place of ${insteadOf.name}, which failed with ${insteadOf.code}]`,
  };
}

const withVerdicts = (result: ToolResult, verdicts: readonly VerdictRecord[]): ToolResult =>
  verdicts.length > 0 ? { ...result, verdicts } : result;

/** Failures of the journal, of middleware and of our own are the run's, and so is a cancel; all others are the tool's. */
const isToolFailure = ({ code }: AgentError) =>
  !code.startsWith("journal_") && !["cancelled", "internal_error", "middleware_failed", "step_key_reused", "step_diverged"].includes(code);

async function reconcile({ tool, name }: CallPlace, input: unknown, context: ToolContext): Promise<Reconciled<ToolResult>> {
  if (!tool.canReconcile) return "unknown";
  const word = await tool.reconcile(input, context);
  return word.status === "done" ? done(renderOutput(tool, name, word.output)) : word.status;
}
