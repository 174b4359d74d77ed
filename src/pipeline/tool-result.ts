// What a model is told of a call: text no longer than allowed, and errors without stack, path or secret.
import { AgentError, type ErrorCode, errorCodes } from "../core/errors.ts";
import type { Tool, ToolFailure, ToolResult } from "../core/tool.ts";

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
function cut(text: string, maxBytes: number): ToolResult {
  // A UTF-16 unit is at most three bytes, so most results need no counting.
  if (text.length * 3 <= maxBytes) return { content: text };
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return { content: text };
  // Never more units than bytes allowed: a huge text is not copied whole.
  const kept = Buffer.from(text.slice(0, maxBytes))
    .subarray(0, maxBytes)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return { content: `${kept}\n[cut: the first ${Buffer.byteLength(kept)} of ${bytes} bytes are shown]`, cutFromBytes: bytes };
}

/** The result of a call that did not work. */
export function failedResult(error: AgentError): ToolResult {
  return { content: failureContent(error), error: failureOf(error) };
}

export const failureContent = (error: AgentError): string => JSON.stringify({ error: failureOf(error) });

/** Ours are safe to tell; of what a tool threw the model learns the code only, unless it was thrown to be told. */
function failureOf(error: AgentError): ToolFailure {
  const own = error.hint !== errorCodes[error.code].hint;
  return {
    code: error.code,
    message: error.message,
    retryable: error.retryable,
    hint: own ? error.hint : (advice[error.code] ?? error.hint),
  };
}

/** What a model can do about it, where that differs from what a developer can. */
const advice: Partial<Record<ErrorCode, string>> = {
  tool_failed: "Try another way, or say that this could not be done.",
  tool_timeout: "It may have been done all the same. Do not count on it either way; look it up or say so.",
  tool_output_invalid: "Its answer could not be used. Try another way, or say that this could not be done.",
  tool_cancelled: "Nothing is known about its effect.",
  circuit_open: "This tool is out of order for now. Do without it.",
  guardrail_blocked: "The call was refused by a rule. Do not try to get around it.",
  guardrail_failed: "The call could not be checked and was refused.",
};

/** Added to a result that repeats an earlier one. */
export function warnedResult(result: ToolResult): ToolResult {
  const warning =
    "[You have made this same call several times in a row and got a result each time; use what you have or try something else.]";
  return { ...result, content: `${result.content}\n${warning}` };
}
