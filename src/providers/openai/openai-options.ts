// The options of openai(). Invariant: a mistake is found when the model is made, before anything is sent or spent.
import { AgentError } from "../../core/errors.ts";
import { type Checks, isFlag, isText, oneOf } from "../../core/options.ts";
import { type AdapterOptions, checkAdapter } from "../adapter-options.ts";
import { checkSettings } from "./openai-check.ts";

export interface OpenAIOptions extends AdapterOptions {
  /** Which API is spoken, whatever `baseURL` is. Default "chat": what every server has. */
  readonly api?: "chat" | "responses";
  readonly organization?: string;
  readonly project?: string;
  /** Requests with the same key are sent where their beginning may be cached. */
  readonly promptCacheKey?: string;
  /** How long a cached beginning is kept at least; Chat Completions have "30m" only. */
  readonly promptCacheTtl?: "30m" | "12h";
  /** Whether OpenAI keeps request and answer. Default false with Responses; with Chat it is sent only when given. */
  readonly store?: boolean;
  /** Responses only: asks for a summary of what the model thought. Default none. */
  readonly reasoningSummary?: "auto" | "concise" | "detailed";
  /** false: schemas are never sent as strict, for servers that do not know the word. Default true: where they can be. */
  readonly strict?: boolean;
}

const own: Readonly<Record<Exclude<keyof OpenAIOptions, keyof AdapterOptions>, Checks[string]>> = {
  api: { holds: oneOf("chat", "responses"), wanted: '"chat" or "responses"' },
  organization: { holds: isText, wanted: "a non-empty string" },
  project: { holds: isText, wanted: "a non-empty string" },
  promptCacheKey: { holds: isText, wanted: "a non-empty string" },
  promptCacheTtl: { holds: oneOf("30m", "12h"), wanted: '"30m" or "12h"' },
  store: { holds: isFlag, wanted: "true or false" },
  reasoningSummary: { holds: oneOf("auto", "concise", "detailed"), wanted: '"auto", "concise" or "detailed"' },
  strict: { holds: isFlag, wanted: "true or false" },
};

/** Throws `configuration_invalid`, naming the option and what it has to be. */
export function checkOpenAIOptions(modelId: string, options: OpenAIOptions): void {
  checkAdapter("openai", "gpt-5-mini", modelId, options, own);
  const { api = "chat", settings = {}, promptCacheTtl, reasoningSummary } = options;
  checkSettings(api, settings);
  if (api === "responses") return;
  const wrong = (what: string) => new AgentError("configuration_invalid", `openai() cannot use ${what} with Chat Completions.`);
  if (promptCacheTtl === "12h") throw wrong('"12h" as "promptCacheTtl"; it is "30m" there, or api: "responses"');
  if (reasoningSummary !== undefined) throw wrong('"reasoningSummary"; it needs api: "responses"');
}
