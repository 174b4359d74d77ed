// What a request asks for. Nothing of it is believed: size, type, JSON, fields and who may speak in a conversation are checked here.
import { AgentError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import type { RunInput } from "../core/message.ts";
import { type Checks, checkOptions, isText } from "../core/options.ts";
import { errorAnswer } from "./answer.ts";

export interface Ask {
  readonly input: RunInput;
  readonly runId?: string;
  readonly conversationId?: string;
}

/** No slash: a run id is a part of the keys that tools hand on. */
const isRunId = (value: unknown) => typeof value === "string" && /^[\w.:~-]{1,128}$/.test(value);
const runIdRule = 'one to 128 letters, digits, "_", "-", ".", ":" or "~"';

const askChecks: Checks = {
  input: { holds: (value) => typeof value === "string" || Array.isArray(value), wanted: "a text or a list of messages" },
  runId: { holds: isRunId, wanted: runIdRule },
  conversationId: { holds: isText, wanted: "a text of up to 512 characters" },
};

/** What the request asks for, or the answer that says what is wrong with it (400, 413, 415). Reads no more than `maxBytes`. */
export async function readAsk(request: Request, maxBytes: number): Promise<Ask | Response> {
  if (!/^application\/([\w.+-]+\+)?json *(;|$)/i.test(request.headers.get("content-type") ?? "")) {
    return errorAnswer(415, invalid("The body has to be JSON.", 'Send it with "content-type: application/json".'));
  }
  let text: string | undefined;
  try {
    text = await textOf(request, maxBytes);
  } catch {
    return errorAnswer(400, invalid("The body broke off.", "Send it again."));
  }
  if (text === undefined) {
    return errorAnswer(413, invalid(`The body is longer than ${maxBytes} bytes.`, "Send less, or have the service raise maxBodyBytes."));
  }
  try {
    return askOf(text, request.headers.get("idempotency-key"));
  } catch (thrown) {
    if (AgentError.is(thrown)) return errorAnswer(400, thrown);
    throw thrown;
  }
}

function askOf(text: string, key: string | null): Ask {
  const body = parsed(text);
  checkOptions("input_invalid", "The body", body, askChecks);
  const { input, runId, conversationId }: Partial<Ask> = Object(body);
  if (input === undefined) throw invalid('The body has no "input".', 'Send {"input": "..."}.');
  if (typeof input !== "string") checkSpeakers(input);
  const keyed = key === null ? undefined : runIdOf(key);
  if (keyed !== undefined && runId !== undefined && keyed !== runId) {
    throw invalid('The "runId" of the body is another than the Idempotency-Key of the header.', "Send one of them.");
  }
  const id = runId ?? keyed;
  return { input, ...(id === undefined ? {} : { runId: id }), ...(conversationId === undefined ? {} : { conversationId }) };
}

/** The header's value, bare or as the quoted string that the draft of the header asks for. */
function runIdOf(key: string): string {
  const id = /^"(.*)"$/.exec(key.trim())?.[1] ?? key.trim();
  if (!isRunId(id)) throw invalid(`The Idempotency-Key has to be ${runIdRule}.`, "Send a UUID.");
  return id;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("The body is not JSON.", 'Send {"input": "..."}. If it was, something before the handler has read the body already.');
  }
}

// What the service says (instructions, results of tools, signed thoughts) cannot be put into its mouth from outside.
function checkSpeakers(messages: readonly unknown[]) {
  for (const [position, message] of messages.entries()) {
    const { role, content }: { role?: unknown; content?: unknown } = Object(message);
    const parts: readonly unknown[] = Array.isArray(content) ? content : [];
    const speaks = role === "user" || role === "assistant";
    if (speaks && parts.every((part) => isObject(part) && part["type"] === "text")) continue;
    throw invalid(
      `Message ${position} of the input is not a text of the user or the assistant.`,
      "Leave out what the service itself knows.",
    );
  }
}

/** Undefined when it is too long: what has been read by then is thrown away. */
async function textOf({ body, headers }: Request, maxBytes: number): Promise<string | undefined> {
  if (Number(headers.get("content-length")) > maxBytes) return undefined;
  if (!body) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

const invalid = (message: string, hint: string) => new AgentError("input_invalid", message, { hint });
