// One call on the line: its arguments pass their guardrails, it is made, a fallback steps in, and what it said passes the guardrails of results.
import type { VerdictRecord } from "../../core/guardrail.ts";
import type { ToolCall } from "../../core/message.ts";
import { done, type Outcome, stoppedBy } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import type { Tool, ToolResult } from "../../core/tool.ts";
import { decideText, guardError } from "../guard.ts";
import type { Line } from "../line.ts";
import { type ParsedArguments, parseArguments } from "./arguments.ts";
import { toolCallStep } from "./tool-call.ts";
import { failedResult, withheldResult } from "./tool-result.ts";
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
}

/** The one result of a call, as the model reads it. */
export interface Made {
  readonly result: ToolResult;
  /** Where the content is recorded; absent when it is nowhere but here. */
  readonly ref?: string;
  readonly verdicts: readonly VerdictRecord[];
  /** The arguments that may be shown, when these are not the model's own. */
  readonly shownArguments?: string;
  /** The tool that stood in. */
  readonly by?: string;
}

export async function makeCall(run: Run, line: Line, facts: CallFacts): Promise<Outcome<Made>> {
  const asked = await guardArguments(run, line, facts);
  if (asked.status !== "done") return asked;
  const { refusal, verdicts, shownArguments } = asked.value;
  const shown = shownArguments === undefined ? {} : { shownArguments };
  if (refusal) return done({ result: refusal, verdicts, ...shown });
  const outcome = await perform(run, line, shownArguments === undefined ? facts : withArguments(facts, shownArguments));
  if (outcome.status !== "done") return outcome;
  const guarded = await guardResult(run, line, facts, outcome.value);
  if (guarded.status !== "done") return guarded;
  const { by } = outcome.value;
  return done({ ...guarded.value, verdicts: [...verdicts, ...guarded.value.verdicts], ...shown, ...(by === undefined ? {} : { by }) });
}

interface Asked {
  readonly verdicts: readonly VerdictRecord[];
  /** As the guardrails left them, when that is not as the model made them. */
  readonly shownArguments?: string;
  readonly refusal?: ToolResult;
}

const withArguments = (facts: CallFacts, text: string): CallFacts => ({
  ...facts,
  call: { ...facts.call, arguments: text },
  parsed: parseArguments(text, false),
});

/** Arguments that are no JSON are left to the step: nothing is executed with them. */
async function guardArguments(run: Run, line: Line, { key, call, tool, parsed, truncated }: CallFacts): Promise<Outcome<Asked>> {
  const guardrails = line.agent.guardrails.toolInput;
  if (!tool || guardrails.length === 0 || truncated || !parsed.ok) return done({ verdicts: [] });
  const text = JSON.stringify(parsed.value);
  const decision = await decideText(run, `${key}/input`, guardrails, { point: "toolInput", text, tool: call.name });
  if (decision.status !== "done") return decision;
  const { verdicts } = decision.value;
  if (decision.value.allowed)
    return done({ verdicts, ...(decision.value.text === undefined ? {} : { shownArguments: decision.value.text }) });
  const error = guardError(decision.value, "toolInput");
  if (error.code === "guardrail_escalated") return stoppedBy(error);
  return done({ refusal: failedResult(error), verdicts, shownArguments: "{}" });
}

interface Performed {
  readonly result: ToolResult;
  readonly ref: string;
  readonly by?: string;
}

async function perform(run: Run, { agent }: Line, facts: CallFacts): Promise<Outcome<Performed>> {
  const { key, call, tool } = facts;
  const first = await run.step(
    tool ? toolCallStep(run, agent, { ...facts, tool, name: call.name }) : unknownToolStep(key, call, agent.tools.keys()),
  );
  const { fallback } = tool ?? {};
  if (first.status !== "done") return first;
  if (!fallback || !needsFallback(first.value, tool?.effect === "read")) return done({ result: first.value, ref: run.path + key });

  const by = fallback.label ?? `${call.name}-fallback`;
  const insteadOf = { name: call.name, code: first.value.error?.code ?? "tool_failed", key };
  const second = await run.step(toolCallStep(run, agent, { ...facts, key: `${key}/fallback`, tool: fallback, name: by, insteadOf }));
  if (second.status !== "done") return second;
  const result = { result: second.value, ref: `${run.path}${key}/fallback` };
  return done(second.value.error ? result : { ...result, by });
}

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
async function guardResult(run: Run, line: Line, { key, call: { name } }: CallFacts, { result, ref }: Performed): Promise<Outcome<Made>> {
  const guardrails = line.agent.guardrails.toolOutput;
  if (guardrails.length === 0) return done({ result, ref, verdicts: [] });
  const decision = await decideText(run, `${key}/output`, guardrails, { point: "toolOutput", text: result.content, tool: name });
  if (decision.status !== "done") return decision;
  const { verdicts } = decision.value;
  if (!decision.value.allowed) {
    const error = guardError(decision.value, "toolOutput");
    return error.code === "guardrail_escalated" ? stoppedBy(error) : done({ result: withheldResult(name, result, error), verdicts });
  }
  const { text } = decision.value;
  if (text === undefined) return done({ result, ref, verdicts });
  return done({ result: { ...result, content: text }, ref: `${run.path}${key}/output`, verdicts });
}
