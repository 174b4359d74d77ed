// What a model is told of a call: text no longer than allowed, and errors without stack, path or secret.
import { AgentError, type ErrorCode, errorCodes } from "../../core/errors.ts";
import type { Tool, ToolFailure, ToolResult } from "../../core/tool.ts";

/** Renders what a tool returned. Throws `tool_output_invalid` for a value that has no JSON text. */
export function renderOutput(tool: Tool, name: string, output: unknown): ToolResult {
  return cut(typeof output === "string" ? output : jsonOf(output, name), tool.maxResultBytes);
}

function jsonOf(output: unknown, name: string): string {
  try {
    return JSON.stringify(output) ?? "null";
  } catch (thrown) {
    throw new AgentError("tool_output_invalid", `${name} returned a value that has no JSON text.`, { cause: thrown });
  }
}

/** Keeps whole characters; says how much was left out. */
export function cut(text: string, maxBytes: number): ToolResult {
  // A UTF-16 unit is at most three bytes, so most results need no counting.
  if (text.length * 3 <= maxBytes) return { content: text };
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return { content: text };
  // Never more units than bytes allowed: a huge text is not copied whole.
  const whole = Buffer.from(text.slice(0, maxBytes)).subarray(0, maxBytes).toString("utf8");
  // A character that was cut in two has become one replacement character.
  const kept = whole.endsWith("\uFFFD") ? whole.slice(0, -1) : whole;
  return { content: `${kept}\n[cut: the first ${Buffer.byteLength(kept)} of ${bytes} bytes are shown]`, cutFromBytes: bytes };
}

/** The result of a call that did not work. */
export function failedResult(error: AgentError): ToolResult {
  const failure = failureOf(error);
  const deliberate = error.details["told"] === true && !error.retryable;
  return { content: JSON.stringify({ error: failure }), error: failure, ...(deliberate ? { deliberate } : {}) };
}

/** The result of a call that a rule refused. The no is meant for the call, whoever would answer it: a fallback is not asked. */
export const refusedResult = (error: AgentError): ToolResult => ({ ...failedResult(error), deliberate: true });

/** The result of an act that a fork only simulates. */
export const simulatedResult = (name: string): ToolResult => ({
  content: JSON.stringify({ simulated: true, message: `${name} was not executed: this is a simulation. Go on as if it had been done.` }),
  simulated: true,
});

/** The result of a call whose run stopped before it had one. */
export function unfinishedResult(begun: boolean): ToolResult {
  const message = begun
    ? "The run stopped before this call had a result; it may have taken effect."
    : "The call was not executed: the run had stopped.";
  const hint = begun ? "Look it up before doing it again." : "Call again if it is still wanted.";
  return failedResult(new AgentError("tool_cancelled", message, { hint }));
}

/** In place of what a guardrail withheld. What was executed stays executed, and the model has to know. */
export function withheldResult(name: string, result: ToolResult, error: AgentError): ToolResult {
  const message = result.error ? `${name} failed, and a rule withheld why.` : `${name} was executed, and a rule withheld its result.`;
  const hint = result.error
    ? "Try another way, or say that this could not be done."
    : "Do not call it again for this; say that it is done and cannot be shown.";
  return { ...failedResult(new AgentError(error.code, message, { hint })), ...(result.simulated ? { simulated: true } : {}) };
}

/** Ours are safe to tell; of what a tool threw the model learns the code only, unless it was thrown to be told. */
function failureOf(error: AgentError): ToolFailure {
  const own = error.hint !== errorCodes[error.code].hint;
  return {
    code: error.code,
    message: error.message.slice(0, longestMessage),
    retryable: error.retryable,
    hint: own ? error.hint.slice(0, longestMessage) : (advice[error.code] ?? error.hint),
  };
}

/** Longest error text a model is told; issues of a schema can quote what they are about. */
const longestMessage = 2_000;

/** What a model can do about it, where that differs from what a developer can. */
const advice: Partial<Record<ErrorCode, string>> = {
  tool_failed: "Try another way, or say that this could not be done.",
  tool_timeout: "It may have been done all the same. Do not count on it either way; look it up or say so.",
  tool_output_invalid: "It was executed, but its answer could not be used. Do not repeat an act; look it up or say so.",
  child_failed: "Try another way, or say that this could not be done.",
  depth_limit: "The call was not executed. Do without it.",
  effect_limit: "The call was not executed. Do without it, or say that this could not be done.",
  circuit_open: "This tool is out of order for now. Do without it.",
  guardrail_escalated: "The call was not executed; a person has been asked.",
  guardrail_blocked: "The call was refused by a rule. Do not try to get around it.",
  guardrail_failed: "The call could not be checked and was refused.",
};

/** Added to a result that repeats an earlier one. */
export function warnedResult(result: ToolResult): ToolResult {
  const warning =
    "[You have made this same call several times in a row and were answered each time; use what you have or try something else.]";
  return { ...result, content: `${result.content}\n${warning}` };
}
