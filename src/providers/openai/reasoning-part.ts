// What a model thought, with what it takes to hand it back. Invariant: it goes back to the model that thought it and to no other: others
// cannot read it, and refuse it.
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { ReasoningPart } from "../../core/message.ts";
import { listIn, objectIn, textIn } from "../wire.ts";

/** Chat Completions as other servers extend them: the text, and the name it came by. */
export const chatReasoning = (modelId: string, field: string, text: string): ReasoningPart => ({
  type: "reasoning",
  text,
  providerMetadata: { openai: { model: modelId, field } },
});

/** The name under which a server of Chat Completions wants this back. */
export const reasoningField = (part: ReasoningPart, modelId: string): string | undefined => textIn(ownMetadata(part, modelId)?.["field"]);

/** An item of Responses. Without the encrypted text or the plain one the provider could make nothing of it. */
export interface ReasoningItem {
  readonly type: "reasoning";
  readonly id: string;
  readonly summary: readonly { readonly type: "summary_text"; readonly text: string }[];
  readonly content?: readonly { readonly type: "reasoning_text"; readonly text: string }[];
  readonly encrypted_content?: string;
}

/** `heard`: what came of its text as deltas, for servers that send no whole item. */
export function responsesReasoning(modelId: string, item: { readonly [field: string]: unknown }, heard: string): ReasoningPart {
  const summary = textsIn(item["summary"]);
  const content = textsIn(item["content"]);
  const encryptedContent = textIn(item["encrypted_content"]);
  const id = textIn(item["id"]);
  const own: JsonObject = {
    model: modelId,
    ...(id === undefined ? {} : { id }),
    ...(encryptedContent === undefined ? {} : { encryptedContent }),
    // Where the text of the part says it all, it is not kept twice.
    ...(content.length > 0 ? { summary, content } : summary.length > 1 ? { summary } : {}),
  };
  const text = [...summary, ...content].join("\n\n");
  return { type: "reasoning", text: text === "" ? heard : text, providerMetadata: { openai: own } };
}

/** The item a part was made of, as it was; undefined for one that this model cannot use. */
export function reasoningItem(part: ReasoningPart, modelId: string): ReasoningItem | undefined {
  const own = ownMetadata(part, modelId);
  const id = textIn(own?.["id"]);
  const encrypted = textIn(own?.["encryptedContent"]);
  const content = textsOf(own?.["content"]);
  if (own === undefined || id === undefined || (encrypted === undefined && content.length === 0)) return undefined;
  const summary = own["summary"] === undefined ? [part.text].filter((text) => text !== "") : textsOf(own["summary"]);
  return {
    type: "reasoning",
    id,
    summary: summary.map((text) => ({ type: "summary_text", text })),
    ...(content.length > 0 ? { content: content.map((text) => ({ type: "reasoning_text", text })) } : {}),
    ...(encrypted === undefined ? {} : { encrypted_content: encrypted }),
  };
}

function ownMetadata({ providerMetadata }: ReasoningPart, modelId: string): JsonObject | undefined {
  const own = isJsonObject(providerMetadata) ? providerMetadata["openai"] : undefined;
  if (!isJsonObject(own)) return undefined;
  return own["model"] === undefined || own["model"] === modelId ? own : undefined;
}

const textsIn = (parts: unknown): readonly string[] => listIn(parts).flatMap((part) => textIn(objectIn(part)["text"]) ?? []);
const textsOf = (texts: unknown): readonly string[] => listIn(texts).flatMap((text) => textIn(text) ?? []);
