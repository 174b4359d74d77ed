// A conversation as the messages of Chat Completions. Invariant: nothing that was said is left out but reasoning the server has no word for.
import type OpenAI from "openai";
import type { AssistantMessage, FilePart, Message, UserPart } from "../../core/message.ts";
import { callsOf, textOf } from "../../core/message.ts";
import { type CallIds, createCallIds, sentToolName } from "../call-ids.ts";
import { audioFormatOf, filenameOf, kindOf, notTaken, urlOf } from "./file-part.ts";
import { reasoningField } from "./reasoning-part.ts";

/** The longest id of a call that the API takes, in characters. */
const longestCallId = 40;

/** Throws `provider_rejected` for a file the API cannot take. */
export function chatMessages(modelId: string, messages: readonly Message[]): OpenAI.ChatCompletionMessageParam[] {
  const ids = createCallIds((id) => id !== "" && id.length <= longestCallId);
  return messages.map((message) => {
    switch (message.role) {
      case "system":
        return { role: "system", content: message.content };
      case "user":
        return { role: "user", content: typeof message.content === "string" ? message.content : message.content.map(userPart) };
      case "assistant":
        return { ...assistantMessage(message, ids), ...reasoningOf(message, modelId) };
      case "tool":
        return { role: "tool", tool_call_id: ids.ofResult(message.callId), content: message.content };
    }
  });
}

function userPart(part: UserPart): OpenAI.ChatCompletionContentPart {
  if (part.type === "text") return { type: "text", text: part.text };
  switch (kindOf(part)) {
    case "image":
      return { type: "image_url", image_url: { url: urlOf(part) } };
    case "audio":
      return { type: "input_audio", input_audio: { data: bytesOf(part), format: audioFormatOf(part) } };
    case "document":
      return { type: "file", file: { filename: filenameOf(part), file_data: `data:${part.mediaType};base64,${bytesOf(part)}` } };
  }
}

function bytesOf(part: FilePart): string {
  if (part.data !== undefined) return part.data;
  throw notTaken(part, 'Send its bytes as `data`; a document may go by URL with api: "responses".');
}

function assistantMessage(message: AssistantMessage, ids: CallIds): OpenAI.ChatCompletionAssistantMessageParam {
  const text = textOf(message);
  const calls = callsOf(message);
  if (calls.length === 0) return { role: "assistant", content: text };
  return {
    role: "assistant",
    content: text === "" ? null : text,
    tool_calls: calls.map((call) => ({
      type: "function",
      id: ids.ofCall(call.callId),
      function: { name: sentToolName(call.name), arguments: call.arguments },
    })),
  };
}

/** Servers that tell what a model thinks want it back by the name they told it by; OpenAI itself tells nothing here and gets nothing. */
function reasoningOf({ content }: AssistantMessage, modelId: string): { readonly [field: string]: string } {
  const told: Record<string, string> = {};
  for (const part of content) {
    const field = part.type === "reasoning" ? reasoningField(part, modelId) : undefined;
    if (part.type === "reasoning" && field) told[field] = (told[field] ?? "") + part.text;
  }
  return told;
}
