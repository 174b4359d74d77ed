// A conversation as the input items of Responses. Invariant: everything in the order it was said, reasoning before what it led to, and
// every call with an id of its own that its result shares.
import type { AssistantMessage, AssistantPart, FilePart, Message, UserMessage, UserPart } from "../../core/message.ts";
import { type CallIds, createCallIds, sentToolName } from "../call-ids.ts";
import { filenameOf, kindOf, notTaken, urlOf } from "./file-part.ts";
import { type ReasoningItem, reasoningItem } from "./reasoning-part.ts";

type InputPart =
  | { readonly type: "input_text" | "output_text"; readonly text: string }
  | { readonly type: "input_image"; readonly image_url: string; readonly detail: "auto" }
  | { readonly type: "input_file"; readonly filename: string; readonly file_data: string }
  | { readonly type: "input_file"; readonly file_url: string };

/** As the API reads it; of the SDK's types some ask for ids that only the provider could give. */
export type InputItem =
  | { readonly type: "message"; readonly role: "system" | "user" | "assistant"; readonly content: string | readonly InputPart[] }
  | { readonly type: "function_call"; readonly call_id: string; readonly name: string; readonly arguments: string }
  | { readonly type: "function_call_output"; readonly call_id: string; readonly output: string }
  | ReasoningItem;

/** The longest id of a call that the API takes, in characters. */
const longestCallId = 64;

/** Throws `provider_rejected` for a file the API cannot take. */
export function responsesInput(modelId: string, messages: readonly Message[]): readonly InputItem[] {
  const ids = createCallIds((id) => id !== "" && id.length <= longestCallId);
  return messages.flatMap((message): readonly InputItem[] => {
    switch (message.role) {
      case "system":
        return [{ type: "message", role: "system", content: message.content }];
      case "user":
        return [{ type: "message", role: "user", content: userContent(message) }];
      case "assistant":
        return assistantItems(message, modelId, ids);
      case "tool":
        return [{ type: "function_call_output", call_id: ids.ofResult(message.callId), output: message.content }];
    }
  });
}

const userContent = ({ content }: UserMessage) => (typeof content === "string" ? content : content.map(userPart));

function userPart(part: UserPart): InputPart {
  if (part.type === "text") return { type: "input_text", text: part.text };
  switch (kindOf(part)) {
    case "image":
      return { type: "input_image", image_url: urlOf(part), detail: "auto" };
    case "audio":
      throw notTaken(part, 'Responses take no audio; use api: "chat".');
    case "document":
      return document(part);
  }
}

const document = (part: FilePart): InputPart =>
  part.url === undefined
    ? { type: "input_file", filename: filenameOf(part), file_data: urlOf(part) }
    : { type: "input_file", file_url: part.url };

/** Reasoning is only taken with what followed it, so what stands at the end of a message stays behind. */
function assistantItems({ content }: AssistantMessage, modelId: string, ids: CallIds): readonly InputItem[] {
  const items = content.flatMap((part) => assistantItem(part, modelId, ids));
  const end = items.findLastIndex((item) => item.type !== "reasoning") + 1;
  return items.slice(0, end);
}

function assistantItem(part: AssistantPart, modelId: string, ids: CallIds): readonly InputItem[] {
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ type: "message", role: "assistant", content: [{ type: "output_text", text: part.text }] }];
    case "tool-call":
      return [{ type: "function_call", call_id: ids.ofCall(part.callId), name: sentToolName(part.name), arguments: part.arguments }];
    case "reasoning":
      return [reasoningItem(part, modelId) ?? []].flat();
  }
}
