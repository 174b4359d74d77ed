// The answers that are no stream: JSON with a status. Nothing that is not made for clients gets into one.
import { AgentError } from "../core/errors.ts";
import type { RunResult } from "../core/result.ts";
import { clientError, clientResult, httpStatusOf } from "./client-result.ts";

function jsonAnswer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(body, { status, headers: { "content-type": "application/json", "cache-control": "no-store", ...headers } });
}

/** An answer to a request of which no run came. */
export function errorAnswer(status: number, error: AgentError, headers?: Readonly<Record<string, string>>): Response {
  return jsonAnswer(status, JSON.stringify({ error: clientError(error) }), headers);
}

/** An answer that tells how a run went; `now` in milliseconds since the epoch. */
export function resultAnswer(result: RunResult<unknown>, now: number): Response {
  const { resetsAt, retryAt = resetsAt } = "error" in result ? result.error.details : {};
  const status = httpStatusOf(result);
  const wait =
    (status === 503 || status === 429) && typeof retryAt === "number" ? Math.max(1, Math.ceil((retryAt - now) / 1000)) : undefined;
  return jsonAnswer(status, resultJson(result), wait === undefined ? {} : { "retry-after": `${wait}` });
}

/** The JSON a client gets of a result. Where an output schema has made something of the answer that JSON cannot hold, its text alone. */
export function resultJson(result: RunResult<unknown>): string {
  const told = clientResult(result);
  try {
    return JSON.stringify(told);
  } catch {
    const { output: _, ...rest } = told;
    return JSON.stringify(rest);
  }
}
