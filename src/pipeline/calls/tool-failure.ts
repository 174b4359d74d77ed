// What a tool threw, as an error of ours: a throw is its word that it failed, a lost connection is silence.
import { AgentError, type ErrorCode, isOfThePass } from "../../core/errors.ts";
import type { Tool } from "../../core/tool.ts";

/**
 * Only what `toolError` made keeps its message. What may be repeated may be tried again; of an act that must not be, a lost connection
 * leaves open whether it happened (`details.silent`).
 */
export function toolFailure(tool: Tool, name: string, thrown: unknown): AgentError {
  if (AgentError.is(thrown) && thrown.details["told"] === true) return thrown;
  const silent = lostConnection(thrown);
  return new AgentError("tool_failed", `${name} failed.`, {
    cause: thrown,
    retryable: tool.repeat !== "never" || silent,
    details: silent ? { silent } : {},
  });
}

const silentCodes = new Set(
  "ECONNRESET EPIPE ETIMEDOUT ECONNABORTED UND_ERR_SOCKET UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT".split(" "),
);

/** The request may have arrived and been acted on; a connection that was never made is not meant. */
function lostConnection(thrown: unknown, depth = 0): boolean {
  if (typeof thrown !== "object" || thrown === null || depth > 5) return false;
  if ("code" in thrown && typeof thrown.code === "string" && silentCodes.has(thrown.code)) return true;
  return "cause" in thrown && lostConnection(thrown.cause, depth + 1);
}

const ofTheRun = new Set<ErrorCode>(["internal_error", "middleware_failed", "step_key_reused", "step_diverged"]);

/** Failures of the pass, of middleware and of our own are the run's; all others are the tool's. */
export const isToolFailure = ({ code }: AgentError): boolean => !isOfThePass(code) && !ofTheRun.has(code);
