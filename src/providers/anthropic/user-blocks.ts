// What a user said, with images and documents, as blocks of the API. Invariant: a message gives at least one block, and no blank text.
import type Anthropic from "@anthropic-ai/sdk";
import { AgentError } from "../../core/errors.ts";
import type { FilePart, UserMessage, UserPart } from "../../core/message.ts";

export type UserBlock =
  | Anthropic.TextBlockParam
  | Anthropic.ImageBlockParam
  | Anthropic.DocumentBlockParam
  | Anthropic.ToolResultBlockParam;

/** Stands where the API wants a text and there is none to see. */
export const nothingSaid = { type: "text", text: "(nothing was said)" } as const;

export const saysSomething = (text: string): boolean => text.trim() !== "";

/** Throws `provider_rejected` for a file of a kind the API does not take. */
export function documentsAndTexts(content: UserMessage["content"]): readonly UserBlock[] {
  const parts: readonly UserPart[] = typeof content === "string" ? [{ type: "text", text: content }] : content;
  const blocks = parts.flatMap((part) => (part.type === "file" ? [fileBlock(part)] : textBlocks(part.text)));
  return blocks.length > 0 ? blocks : [nothingSaid];
}

const textBlocks = (text: string): readonly UserBlock[] => (saysSomething(text) ? [{ type: "text", text }] : []);

const imageTypes = ["image/jpeg", "image/png", "image/gif", "image/webp"] as const;

function fileBlock(part: FilePart): UserBlock {
  const [mediaType = ""] = part.mediaType.toLowerCase().split(";");
  const title = part.filename ? { title: part.filename } : {};
  if (part.url !== undefined) {
    if (mediaType.startsWith("image/")) return { type: "image", source: { type: "url", url: part.url } };
    if (mediaType === "application/pdf") return { type: "document", source: { type: "url", url: part.url }, ...title };
    throw notTaken("images and PDF documents by URL");
  }
  const image = imageTypes.find((type) => type === (mediaType === "image/jpg" ? "image/jpeg" : mediaType));
  if (image) return { type: "image", source: { type: "base64", media_type: image, data: part.data } };
  if (mediaType === "application/pdf") {
    return { type: "document", source: { type: "base64", media_type: mediaType, data: part.data }, ...title };
  }
  if (!mediaType.startsWith("text/")) throw notTaken("images (JPEG, PNG, GIF, WebP), PDF documents and texts");
  const text = new TextDecoder().decode(Buffer.from(part.data, "base64"));
  if (!saysSomething(text)) return nothingSaid;
  return { type: "document", source: { type: "text", media_type: "text/plain", data: text }, ...title };
}

const notTaken = (taken: string) =>
  new AgentError("provider_rejected", `A message has a file of a kind that Anthropic does not take; it takes ${taken}.`, {
    details: { provider: "anthropic" },
  });
