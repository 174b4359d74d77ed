// The options of openai(). Invariant: a mistake is found when the model is made, before anything is sent or spent.
import { type Checks, isText } from "../../core/options.ts";
import { type ConnectionOptions, checkAdapter } from "../connection.ts";

export interface OpenAIOptions extends ConnectionOptions {
  readonly organization?: string;
  readonly project?: string;
}

const own: Readonly<Record<Exclude<keyof OpenAIOptions, keyof ConnectionOptions>, Checks[string]>> = {
  organization: { holds: isText, wanted: "a non-empty string" },
  project: { holds: isText, wanted: "a non-empty string" },
};

/** Throws `configuration_invalid`, naming the option and what it has to be. */
export const checkOpenAIOptions = (modelId: string, options: OpenAIOptions): void =>
  checkAdapter("openai", "gpt-5-mini", modelId, options, own);
