// What the settings of a model may hold, for whoever takes them as an option. Invariant: one entry for every field of ModelSettings.
import type { ModelSettings } from "./model.ts";
import { type Check, isCount, isFlag, isNumber, isTextList, oneOf } from "./options.ts";

/** For `checkOptions`: what is unknown or of the wrong kind is an error that names it. */
export const settingChecks: Readonly<Record<keyof ModelSettings, Check>> = {
  maxOutputTokens: isCount,
  temperature: isNumber,
  topP: isNumber,
  seed: isNumber,
  stop: isTextList,
  reasoningEffort: oneOf("none", "minimal", "low", "medium", "high", "xhigh", "max"),
  toolChoice: oneOf("auto", "none", "required"),
  parallelToolCalls: isFlag,
};
