// What the settings of a model may be, wherever they are given: to an agent or to a model itself. Invariant: one entry per setting.
import type { ModelSettings } from "./model.ts";
import { type Checks, isCount, isFlag, isNumber, isTextList, oneOf } from "./options.ts";

/** For `checkOptions`. Whether a provider has a setting is up to its adapter. */
export const settingChecks: Readonly<Record<keyof ModelSettings, Checks[string]>> = {
  maxOutputTokens: isCount,
  temperature: isNumber,
  topP: isNumber,
  seed: isNumber,
  stop: isTextList,
  reasoningEffort: oneOf("none", "minimal", "low", "medium", "high"),
  toolChoice: oneOf("auto", "none", "required"),
  parallelToolCalls: isFlag,
};
