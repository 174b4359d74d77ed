// One call on the line: its arguments pass their guardrails, it is made, a fallback steps in, and what it said passes the guardrails of results.
import { AgentError } from "../../core/errors.ts";
import type { VerdictRecord } from "../../core/guardrail.ts";
import type { Json } from "../../core/json.ts";
import type { ToolCall } from "../../core/message.ts";
import { done, failed, type Outcome } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import type { Tool, ToolResult } from "../../core/tool.ts";
import { decideText, guardError } from "../guard.ts";
import type { AgentParts, Line } from "../line.ts";
import { type ParsedArguments, parseArguments } from "./arguments.ts";
import { type CallPlace, toolCallStep } from "./tool-call.ts";
import { cut, failedResult, withheldResult } from "./tool-result.ts";
import { unknownToolStep } from "./unknown-tool.ts";

/** A call of the model's: which tool it is for, if there is one, and what its arguments say. */
export interface AskedCall {
  readonly call: ToolCall;
  readonly tool: Tool | undefined;
  readonly parsed: ParsedArguments;
}

/** What else is known of a call before it is made. */
export interface CallFacts extends AskedCall {
  readonly key: string;
  readonly truncated: boolean;
  readonly warned: boolean;
  readonly simulates: boolean;
  /** The schema of the tool when an earlier pass was asked for this call; undefined when none was, or there was no such tool. */
  readonly offered: Json | undefined;
}

/** The one result of a call, as the model reads it. */
export interface Made {
  readonly result: ToolResult;
  /** Where the content is recorded; absent when it is nowhere but here. */
  readonly ref?: string;
  readonly verdicts: readonly VerdictRecord[];
  /** A guardrail asked for a person: the run stops once all results stand. */
  readonly escalated?: AgentError;
  /** The tool that stood in, and its step. */
  readonly by?: { readonly name: string; readonly key: string };
}

/** What the guardrails of arguments made of a call. */
export interface Admission {
  readonly verdicts: readonly VerdictRecord[];
  /** What the tool is given in place of what the model said. */
  readonly rewritten?: string;
  /** What may be shown as its arguments. */
  readonly shownArguments: string;
  readonly refusal?: AgentError;
}

/** Makes a call, or records that it is refused. */
export async function makeCall(run: Run, line: Line, facts: CallFacts, { refusal, rewritten }: Admission): Promise<Outcome<Made>> {
  const outcome = await perform(run, line, rewritten === undefined ? facts : withArguments(facts, rewritten), refusal);
  if (outcome.status !== "done") return outcome;
  const { result, ref, by } = outcome.value;
  if (refusal && result.content === failedResult(refusal).content) return done({ result, ref, verdicts: [], ...escalation(refusal) });
  if (line.agent.guardrails.toolOutput.length === 0) return done({ result, ref, verdicts: [], ...(by === undefined ? {} : { by }) });
  const guarded = await guardResult(run, line, facts, outcome.value);
  return guarded.status === "done" && by !== undefined ? done({ ...guarded.value, by }) : guarded;
}

const withArguments = (facts: CallFacts, text: string): CallFacts => ({
  ...facts,
  call: { ...facts.call, arguments: text },
  parsed: parseArguments(text, false),
});

/** Arguments that are no JSON are left to the step: nothing is executed with them. */
export function admitCall(run: Run, line: Line, facts: CallFacts): Outcome<Admission> | Promise<Outcome<Admission>> {
  if (line.agent.guardrails.toolInput.length === 0) return done({ verdicts: [], shownArguments: facts.call.arguments });
  return guardArguments(run, line, facts);
}

async function guardArguments(run: Run, line: Line, { key, call, tool, parsed, truncated }: CallFacts): Promise<Outcome<Admission>> {
  // Nobody has looked at what is not going to be executed anyway: then it is shown to nobody.
  if (!tool || truncated || !parsed.ok) return done({ verdicts: [], shownArguments: "{}" });
  const text = JSON.stringify(parsed.value);
  const decision = await decideText(run, `${key}/input`, line.agent.guardrails.toolInput, { point: "toolInput", text, tool: call.name });
  if (decision.status !== "done") return decision;
  const { verdicts } = decision.value;
  if (decision.value.allowed) {
    const { text: rewritten } = decision.value;
    return done(
      rewritten === undefined ? { verdicts, shownArguments: call.arguments } : { verdicts, rewritten, shownArguments: rewritten },
    );
  }
  return done({ refusal: guardError(decision.value, "toolInput"), verdicts, shownArguments: "{}" });
}

const escalation = (error: AgentError) => (error.code === "guardrail_escalated" ? { escalated: error } : {});

interface Performed {
  readonly result: ToolResult;
  readonly ref: string;
  readonly by?: Made["by"];
}

/**
 * A refused call is a step too: seen, recorded, and never tried. A rule that an earlier pass did not have changes nothing about what that
 * pass has done, and hides nothing that it began.
 */
function perform(run: Run, line: Line, facts: CallFacts, refusal?: AgentError): Promise<Outcome<Performed>> {
  const { key, call, tool } = facts;
  if (!tool) return performUnknown(run, line.agent, facts);
  return performWith(run, line, facts, { key, tool, name: call.name, ...(refusal ? { refusal } : {}) });
}

async function performUnknown(run: Run, agent: AgentParts, { key, call, offered }: CallFacts): Promise<Outcome<Performed>> {
  // The model was right to ask for it: it is the agent that has changed.
  if (offered !== undefined)
    return failed(new AgentError("step_diverged", `${run.path}${key} calls ${call.name}, which the agent had then and has no more.`));
  const outcome = await run.step(unknownToolStep(key, call, agent.tools.keys()));
  return outcome.status === "done" ? done({ result: outcome.value, ref: run.path + key }) : outcome;
}

/** Asks the fallback of a tool that could not do it, and the fallback's own, until one can. */
async function performWith(run: Run, line: Line, facts: CallFacts, by: Performer): Promise<Outcome<Performed>> {
  const past = run.childOf(by.key);
  if (past?.taken) line.limits.recall(past.runId, past.taken);
  const outcome = await run.step(toolCallStep(run, line, { ...facts, ...by }));
  if (outcome.status !== "done") return outcome;
  const { key, tool, name, insteadOf } = by;
  const result = outcome.value;
  const fallbackKey = `${key}/fallback`;
  if (tool.fallback && needsFallback(result, tool.effect === "read")) {
    const next = { key: fallbackKey, tool: tool.fallback, name: tool.fallback.label ?? `${facts.call.name}-fallback` };
    const reason = { name: facts.call.name, code: result.error?.code ?? "tool_failed", key: facts.key };
    return performWith(run, line, facts, { ...by, ...next, insteadOf: reason });
  }
  if (run.tried(fallbackKey) > 0)
    return failed(new AgentError("step_diverged", `The run recorded a fallback of ${name}; the code takes none.`));
  const ref = run.path + key;
  return done({ result, ref, ...(insteadOf && !result.error ? { by: { name, key: ref } } : {}) });
}

type Performer = Pick<CallPlace, "key" | "tool" | "name" | "refusal" | "insteadOf">;

/**
 * A fallback is for a tool that could not do its work. Not for a call that was wrong, nor for a no that the tool said on purpose, nor for
 * an act that was done and only answered badly.
 */
function needsFallback({ error, deliberate }: ToolResult, isRead: boolean): boolean {
  if (!error || deliberate || isInvalid(error.code)) return false;
  return error.code !== "tool_output_invalid" || isRead;
}

/** Codes of a call that was not executed because of how it was made. */
export const isInvalid = (code: string) => code === "tool_unknown" || code === "tool_input_invalid" || code === "tool_input_truncated";

/** Errors too: what a tool says in one is as little to be trusted as what it says in a result. */
async function guardResult(
  run: Run,
  line: Line,
  { key, call: { name }, tool }: CallFacts,
  { result, ref }: Performed,
): Promise<Outcome<Made>> {
  const decision = await decideText(run, `${key}/output`, line.agent.guardrails.toolOutput, {
    point: "toolOutput",
    text: result.content,
    tool: name,
  });
  if (decision.status !== "done") return decision;
  const { verdicts } = decision.value;
  if (!decision.value.allowed) {
    const error = guardError(decision.value, "toolOutput");
    return done({ result: withheldResult(name, result, error), verdicts, ...escalation(error) });
  }
  const { text } = decision.value;
  if (text === undefined) return done({ result, ref, verdicts });
  const short = cut(text, tool?.maxResultBytes ?? text.length * 3);
  const own = short.content === text ? { ref: `${run.path}${key}/output` } : {};
  return done({ result: { ...result, ...short }, ...own, verdicts });
}
