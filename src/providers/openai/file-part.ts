// Files in messages, as both APIs have them. Invariant: a file the API cannot take is refused before the request, never left out.
import { AgentError } from "../../core/errors.ts";
import type { FilePart } from "../../core/message.ts";

/** What a media type means to OpenAI. Only two formats of audio have a name there. */
export function kindOf({ mediaType }: FilePart): "image" | "audio" | "document" {
  const [kind] = mediaType.split("/");
  return kind === "image" || kind === "audio" ? kind : "document";
}

const audioFormats: ReadonlyMap<string, "wav" | "mp3"> = new Map([
  ["audio/wav", "wav"],
  ["audio/x-wav", "wav"],
  ["audio/wave", "wav"],
  ["audio/mpeg", "mp3"],
  ["audio/mp3", "mp3"],
]);

/** Throws `provider_rejected`, naming the media type, when the API has no word for the format. */
export function audioFormatOf(part: FilePart): "wav" | "mp3" {
  const format = audioFormats.get(part.mediaType);
  if (format) return format;
  throw notTaken(part, "Send it as audio/wav or audio/mpeg.");
}

/** The URL the provider fetches it from, or one that holds the bytes. */
export const urlOf = ({ url, mediaType, data }: FilePart): string => url ?? `data:${mediaType};base64,${data}`;

/** The API wants a name for what it is sent. */
export const filenameOf = ({ filename, mediaType }: FilePart): string => filename ?? `file.${mediaType.split(/[/+;]/)[1] ?? "bin"}`;

export const notTaken = ({ mediaType, url }: FilePart, hint: string): AgentError =>
  new AgentError("provider_rejected", `openai() cannot send a file of type ${mediaType}${url === undefined ? "" : " by its URL"}.`, {
    hint,
    details: { provider: "openai", mediaType },
  });
