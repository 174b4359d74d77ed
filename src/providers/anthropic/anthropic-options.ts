// The options of anthropic(). Invariant: a mistake is found when the model is made, before anything is sent or spent.
import { type Checks, isFlag, isPositiveCount, isRecord, oneOf } from "../../core/options.ts";
import { type AdapterOptions, checkAdapter, isUrl } from "../adapter-options.ts";

/** How the model thinks before it answers, as Anthropic has it; which of these a model takes depends on the model. */
export type AnthropicThinking =
  | { readonly type: "adaptive"; readonly display?: "summarized" | "omitted" }
  | { readonly type: "enabled"; readonly budget_tokens: number; readonly display?: "summarized" | "omitted" }
  | { readonly type: "between_tools" }
  | { readonly type: "disabled" };

export interface AnthropicOptions extends AdapterOptions {
  /** How long the provider keeps what it has read, to read it again for less; default `"5m"`. Writing costs more than reading once. */
  readonly promptCache?: "5m" | "1h" | "off";
  /** Default: as `reasoningEffort` says, else as the model does by itself. */
  readonly thinking?: AnthropicThinking;
  /** Whether the provider is to hold the model to the schema of each tool whose schema it can take; default true. */
  readonly strictTools?: boolean;
}

function isThinking(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { type, budget_tokens }: { type?: unknown; budget_tokens?: unknown } = Object(value);
  return type === "enabled" ? isPositiveCount(budget_tokens) : oneOf("adaptive", "between_tools", "disabled")(type);
}

/** The SDK writes `/v1/messages` behind all of it, behind a query, too. */
const isBase = (value: unknown) => isUrl(value) && !value.includes("?") && !/\/v1(\/messages)?\/*$/.test(new URL(value).pathname);

const own: Readonly<Record<Exclude<keyof AnthropicOptions, keyof AdapterOptions> | "baseURL", Checks[string]>> = {
  baseURL: { holds: isBase, wanted: "an http(s) URL without a query and without /v1, which is added, such as https://api.example.com" },
  promptCache: { holds: oneOf("5m", "1h", "off"), wanted: '"5m", "1h" or "off"' },
  thinking: {
    holds: isThinking,
    wanted: 'an object with the type "adaptive", "between_tools", "disabled", or "enabled" and budget_tokens, as Anthropic has it',
  },
  strictTools: { holds: isFlag, wanted: "true or false" },
};

/** Throws `configuration_invalid`, naming the option and what it has to be. */
export function checkAnthropicOptions(modelId: string, options: AnthropicOptions): void {
  checkAdapter("anthropic", "claude-sonnet-5-5", modelId, options, own);
}
