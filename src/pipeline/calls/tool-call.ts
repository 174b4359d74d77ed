// A tool call as a step. Its gate admits the call or says why not, so that every call has exactly one recorded result.
import { AgentError, type ErrorCode } from "../../core/errors.ts";
import { canonicalJson, type Json } from "../../core/json.ts";
import type { ToolCall } from "../../core/message.ts";
import { done, failed, type Outcome, suspended } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import type { CompiledSchema, Validated } from "../../core/schema.ts";
import type { Next, Reconciled, Step, StepContext } from "../../core/step.ts";
import type { Tool, ToolContext, ToolResult } from "../../core/tool.ts";
import { toolCost } from "../../policy/budgets/tool-cost.ts";
import type { CallLimits } from "../../policy/limits.ts";
import { toolSpan } from "../../telemetry/attributes.ts";
import type { AgentParts, Line } from "../line.ts";
import { wrapIn } from "../yours.ts";
import { type ParsedArguments, parseArguments } from "./arguments.ts";
import { childSteps, childTerms, type Heard } from "./child-call.ts";
import { isToolFailure, toolFailure } from "./tool-failure.ts";
import { failedResult, refusedResult, renderOutput, simulatedResult, warnedResult } from "./tool-result.ts";

/** What the executor knows about a call besides what the model said. */
export interface CallPlace {
  readonly call: ToolCall;
  readonly parsed: ParsedArguments;
  readonly key: string;
  readonly tool: Tool;
  /** For the model, spans and the journal. */
  readonly name: string;
  /** The model ran out of tokens while making its calls: none of them can be trusted to be whole. */
  readonly truncated: boolean;
  /** The same call was made several times in a row. */
  readonly warned: boolean;
  /** Acts are answered without being executed. */
  readonly simulates: boolean;
  /** The schema this tool had when an earlier pass was asked for the call. */
  readonly offered: Json | undefined;
  /** A rule refused the call. */
  readonly refusal?: AgentError;
  /** Set when this tool stands in for another; it acts under the other's idempotency key, so that the two can be told to be one. */
  readonly insteadOf?: { readonly name: string; readonly code: ErrorCode; readonly key: string };
}

export function toolCallStep(run: Run, { agent, limits }: Line, place: CallPlace): Step<ToolResult> {
  const { call, key, tool, name } = place;
  const heard: Heard = { used: undefined };
  const step: Step<ToolResult> = {
    kind: "tool",
    key,
    name,
    input: { callId: call.callId, arguments: call.arguments },
    repeat: tool.repeat,
    terms: { ...tool.retry, timeoutMs: tool.timeoutMs, ...(tool.child ? childTerms : { breaker: breakerOf(place) }) },
    span: () => toolSpan(name, call.callId, tool, place.insteadOf !== undefined),
    facts: ({ error }) => ({ code: error?.code }),
    child: () => heard.used,
    // The gate hands on a step with the validated input; this one has nothing to perform with.
    perform: () => Promise.resolve(failed(new AgentError("internal_error", "A tool step was performed without its gate."))),
    gate: (context, next) => passGate({ run, agent, limits, place, step, heard }, context, next),
  };
  return step;
}

interface GatedCall {
  readonly run: Run;
  readonly agent: AgentParts;
  readonly limits: CallLimits;
  readonly place: CallPlace;
  readonly step: Step<ToolResult>;
  readonly heard: Heard;
}

async function passGate(gated: GatedCall, context: StepContext, next: Next): Promise<Outcome<ToolResult>> {
  const { run, place } = gated;
  const begun = place.tool.repeat !== "freely" && context.journal.tried(run.path + place.key) > 0;
  if (place.refusal && !begun) return refusedCall(place, place.refusal, context);
  const admitted = await admit(place);
  if (admitted instanceof AgentError) {
    // An earlier pass, under another schema, had begun it.
    if (begun) return suspended([{ kind: "in-doubt", key: run.path + place.key, tool: place.name }]);
    if (isOtherSchema(place)) return failed(otherSchema(run.path, place));
    return refusedCall(place, admitted, context);
  }
  if (place.simulates && place.tool.effect !== "read") return done(marked(simulatedResult(place.name), place, admitted.repaired));
  const outcome = await next(innerStep(gated, admitted.input), context);
  if (outcome.status === "failed" && (outcome.error === place.refusal || outcome.error.code === "effect_limit"))
    return done(refusedResult(outcome.error));
  if (outcome.status === "done") return done(marked(outcome.value, place, admitted.repaired));
  return outcome.status === "failed" && isToolFailure(outcome.error) ? done(marked(failedResult(outcome.error), place, false)) : outcome;
}

/** Arguments that fitted when they were sent are not the model's mistake. */
const isOtherSchema = ({ offered, tool, parsed, truncated, insteadOf }: CallPlace) =>
  offered !== undefined && parsed.ok && !truncated && !insteadOf && canonicalJson(offered) !== canonicalJson(tool.input.jsonSchema);

const otherSchema = (path: string, { key, name }: CallPlace) =>
  new AgentError("step_diverged", `The arguments recorded at ${path}${key} do not match the schema that ${name} has by now.`);

// A fallback's name may be that of a tool of the agent's, whose breaker is none of its business.
const breakerOf = ({ name, insteadOf }: CallPlace) => (insteadOf ? `tool ${insteadOf.name}, fallback ${name}` : `tool ${name}`);

type Admitted = { readonly input: unknown; readonly repaired: boolean } | AgentError;

/** Everything that can be known of a call before it is made. What it refuses, the model is told. */
function admit({ parsed, tool, name, truncated }: CallPlace): Admitted | Promise<Admitted> {
  if (truncated) {
    return new AgentError(
      "tool_input_truncated",
      `The call of ${name} was cut off before its arguments were complete; it was not executed.`,
    );
  }
  if (!parsed.ok) return new AgentError("tool_input_invalid", `The arguments of ${name} are not a JSON object; it was not executed.`);
  const { value, repaired } = parsed;
  const valid = tool.input.validate(value);
  return valid instanceof Promise ? valid.then((later) => admittedAs(later, name, repaired)) : admittedAs(valid, name, repaired);
}

function admittedAs(valid: Validated, name: string, repaired: boolean): Admitted {
  if (valid.ok) return { input: valid.value, repaired };
  const issues = valid.issues.slice(0, 10).join("; ");
  return new AgentError("tool_input_invalid", `The arguments of ${name} do not match its schema; it was not executed. ${issues}`);
}

/** A call that was refused was not executed, which a span of its own says. */
function refusedCall({ call, tool, name, insteadOf, refusal }: CallPlace, error: AgentError, { trace }: StepContext): Outcome<ToolResult> {
  const span = toolSpan(name, call.callId, tool, insteadOf !== undefined);
  trace.child(span.name, span.kind, span.attributes).end(error);
  return done(refusal ? refusedResult(refusal) : failedResult(error));
}

function innerStep({ run, agent, limits, place, step, heard }: GatedCall, input: unknown): Step<ToolResult> {
  const { call, tool, name, key, insteadOf, refusal } = place;
  const info = { run: run.facts, key: run.path + key, tool: name, callId: call.callId, input };
  const idempotencyKey = `${run.facts.agent}/${run.facts.id}/${run.path}${insteadOf?.key ?? key}`;
  const toolContext = ({ signal, attempt }: StepContext): ToolContext => ({
    callId: call.callId,
    idempotencyKey,
    signal,
    attempt,
    context: run.facts.context,
    run: run.facts,
  });
  const said: Said = { output: undefined };
  // A tool may change what it is given; every attempt is given the same.
  const inputs = freshInputs(place, input);
  const render = (output: unknown) => accept(tool, name, output);
  return {
    ...step,
    key: info.key,
    perform: async (context) => perform(tool, name, await inputs(), toolContext(context), said),
    ...(!tool.isPaid ? {} : { cost: toolCost(tool, input, () => take(said)) }),
    act: { tool: call.name, input },
    ...(refusal ? { refusal } : {}),
    reconcile: async (context) => reconcile(place, await inputs(), toolContext(context)),
    ...(tool.child ? childSteps({ run, agent, limits, key, tool, name, child: tool.child, inputs, heard, accept: render }) : {}),
    ...wrapIn(agent.around.tool, info, isToolResult),
  };
}

function freshInputs(place: CallPlace, validated: unknown): () => unknown {
  let used = false;
  const again = async () => {
    const parsed = parseArguments(place.call.arguments, place.tool.effect === "read");
    const admitted = await admit({ ...place, parsed });
    return admitted instanceof AgentError ? validated : admitted.input;
  };
  return () => {
    if (used) return again();
    used = true;
    return validated;
  };
}

const isToolResult = (value: unknown) =>
  typeof value === "object" && value !== null && "content" in value && typeof value.content === "string";

/** What the tool has answered in the attempt that has just ended. */
interface Said {
  output: { readonly output: unknown } | undefined;
}

function take(said: Said) {
  const { output } = said;
  said.output = undefined;
  return output;
}

async function perform(tool: Tool, name: string, input: unknown, context: ToolContext, said: Said): Promise<Outcome<ToolResult>> {
  let output: unknown;
  try {
    output = await tool.execute(input, context);
  } catch (thrown) {
    return failed(toolFailure(tool, name, thrown));
  }
  said.output = { output };
  return accept(tool, name, output);
}

function accept(tool: Tool, name: string, output: unknown): Outcome<ToolResult> | Promise<Outcome<ToolResult>> {
  return tool.output ? acceptValid(tool, tool.output, name, output) : done(renderOutput(tool, name, output));
}

async function acceptValid(tool: Tool, schema: CompiledSchema, name: string, output: unknown): Promise<Outcome<ToolResult>> {
  const valid = await schema.validate(output);
  if (!valid.ok)
    return failed(new AgentError("tool_output_invalid", `${name} was executed, and answered what its outputSchema does not allow.`));
  return done(renderOutput(tool, name, valid.value));
}

/** Anything but a clear word is none. */
async function reconcile({ tool, name }: CallPlace, input: unknown, context: ToolContext): Promise<Reconciled<ToolResult>> {
  if (!tool.canReconcile) return "unknown";
  const word = await tool.reconcile(input, context);
  if (word?.status === "done") return accept(tool, name, word.output);
  return word?.status === "not-done" ? "not-done" : "unknown";
}

/** Warnings and degradation are said to the model in words, after whatever the tool said. */
function marked(result: ToolResult, { warned, insteadOf }: CallPlace, repaired: boolean): ToolResult {
  const own = { ...(warned ? warnedResult(result) : result), ...(repaired ? { repaired } : {}) };
  if (!insteadOf) return own;
  return { ...own, content: `${own.content}\n[degraded: answered in place of ${insteadOf.name}, which failed with ${insteadOf.code}]` };
}
