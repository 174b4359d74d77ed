// Adapters that send less than they were asked for, or something else.
import type { AssistantPart, Message, ModelRequest } from "airworthy";
import { asking, type Mutant, omit, withoutThoughts } from "./mutant.ts";

const messagesWith = (change: (message: Message) => Message) =>
  asking((request) => ({ ...request, messages: request.messages.map(change) }));
const partsSent = (change: (parts: readonly AssistantPart[]) => readonly AssistantPart[]) =>
  messagesWith((message) => (message.role === "assistant" ? { ...message, content: change(message.content) } : message));
function oncePerIdSent(request: ModelRequest): ModelRequest {
  const calls = new Set<string>();
  const results = new Set<string>();
  const isNew = (seen: Set<string>, id: string) => !seen.has(id) && Boolean(seen.add(id));
  const messages = request.messages.flatMap((message): readonly Message[] => {
    if (message.role === "tool") return isNew(results, message.callId) ? [message] : [];
    if (message.role !== "assistant") return [message];
    return [{ ...message, content: message.content.filter((part) => part.type !== "tool-call" || isNew(calls, part.callId)) }];
  });
  return { ...request, messages };
}

function underLastId(request: ModelRequest): ModelRequest {
  let last = "";
  const messages = request.messages.map((message) => {
    if (message.role === "assistant") for (const part of message.content) if (part.type === "tool-call") last = part.callId;
    return message.role === "tool" ? { ...message, callId: last } : message;
  });
  return { ...request, messages };
}

const lastSystemOnly = (request: ModelRequest): ModelRequest => {
  const last = request.messages.findLast(({ role }) => role === "system");
  return { ...request, messages: request.messages.filter((message) => message.role !== "system" || message === last) };
};

export const sendingMutants: readonly Mutant[] = [
  { what: "calls with a repeated id are not sent", by: "under the id of its call: with one id", wrap: asking(oncePerIdSent) },
  {
    what: "every result is sent under the last call's id",
    by: "under the id of its call: with ids of their own",
    wrap: asking(underLastId),
  },
  {
    what: "arguments of earlier calls are replaced by {}",
    by: "under the id of its call: with ids of their own",
    wrap: partsSent((parts) => parts.map((part) => (part.type === "tool-call" ? { ...part, arguments: "{}" } : part))),
  },
  { what: "all system messages but the last are dropped", by: "the whole conversation", wrap: asking(lastSystemOnly) },
  {
    what: "what was thought is not handed back",
    by: "hands back what was thought",
    only: ["responses", "messages"],
    wrap: partsSent(withoutThoughts),
  },
  {
    what: "files are dropped",
    by: "sends an image, or",
    wrap: messagesWith((message) =>
      message.role === "user" && typeof message.content !== "string"
        ? { ...message, content: message.content.filter(({ type }) => type !== "file") }
        : message,
    ),
  },
  {
    what: "isError is dropped",
    by: "which calls have failed",
    only: ["messages"],
    wrap: messagesWith((message) => (message.role === "tool" ? { ...message, isError: false } : message)),
  },
  {
    what: "descriptions of tools are dropped",
    by: "with its description and its schema",
    wrap: asking((request) => ({ ...request, tools: request.tools.map((tool) => ({ ...tool, description: "" })) })),
  },
  {
    what: "schemas of tools are dropped",
    by: "with its description and its schema",
    wrap: asking((request) => ({
      ...request,
      tools: request.tools.map((tool) => ({ ...tool, inputSchema: { type: "object", properties: {} } })),
    })),
  },
  { what: "all settings are dropped", by: "the setting maxOutputTokens", wrap: asking((request) => ({ ...request, settings: {} })) },
  {
    what: "toolChoice is dropped",
    by: "the setting toolChoice",
    wrap: asking((request) => ({ ...request, settings: omit(request.settings, "toolChoice") })),
  },
  { what: "the schema of output is dropped", by: "the schema of output", wrap: asking((request) => omit(request, "output")) },
];
