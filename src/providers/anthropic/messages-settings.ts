// The settings of a request as the API has them. Invariant: a setting the API does not have is refused, never left out in silence.
import type Anthropic from "@anthropic-ai/sdk";
import { AgentError } from "../../core/errors.ts";
import type { ModelSettings } from "../../core/model.ts";
import type { AnthropicThinking } from "./anthropic-options.ts";

/** The API demands a limit; this one leaves room for thinking, and every model that can be asked has it. */
const defaultMaxOutputTokens = 16_000;

const missing = ["temperature", "topP", "seed"] as const;

/** Throws `configuration_invalid`, naming the setting and the way out. */
export function checkSettings(settings: ModelSettings, thinking: AnthropicThinking | undefined): void {
  const unknown = missing.find((name) => settings[name] !== undefined);
  if (unknown) {
    throw refused(
      `has no ${unknown}`,
      `Leave ${unknown} out of the agent's settings; give it to a model that has it, as its own settings.`,
    );
  }
  if (settings.stop?.some((text) => text.trim() === "")) {
    throw refused("takes no stop of blanks alone", "Give stop texts with something to see in them.");
  }
  if (settings.toolChoice === "required" && (thinking?.type === "enabled" || thinking?.type === "adaptive")) {
    throw refused("cannot think when toolChoice is required", "Leave out one of thinking and toolChoice.");
  }
  if (thinking?.type === "enabled" && thinking.budget_tokens >= limitOf(settings)) {
    throw refused("thinks within maxOutputTokens, which is no more than budget_tokens", "Raise maxOutputTokens, or lower budget_tokens.");
  }
}

const refused = (what: string, hint: string) => new AgentError("configuration_invalid", `Anthropic ${what}.`, { hint });

const limitOf = ({ maxOutputTokens }: ModelSettings) => maxOutputTokens ?? defaultMaxOutputTokens;

type Params = Pick<Anthropic.MessageCreateParamsNonStreaming, "max_tokens" | "stop_sequences" | "thinking">;

/** What of the settings has fields of its own; tools and effort are part of larger ones. */
export function settingParams(settings: ModelSettings, thinking: AnthropicThinking | undefined): Params {
  const thought = thinking ?? thinkingOf(settings);
  return {
    max_tokens: limitOf(settings),
    ...(settings.stop === undefined || settings.stop.length === 0 ? {} : { stop_sequences: [...settings.stop] }),
    ...(thought ? { thinking: thought } : {}),
  };
}

// A call that is demanded cannot be thought about first: the API refuses both at once.
function thinkingOf({ reasoningEffort, toolChoice }: ModelSettings): AnthropicThinking | undefined {
  if (reasoningEffort === undefined) return undefined;
  if (reasoningEffort === "none") return { type: "disabled" };
  return toolChoice === "required" ? undefined : { type: "adaptive" };
}

/** The API has no word for less than `low`. */
export function effortOf({ reasoningEffort }: ModelSettings): Anthropic.OutputConfig["effort"] | undefined {
  if (reasoningEffort === undefined || reasoningEffort === "none") return undefined;
  return reasoningEffort === "minimal" ? "low" : reasoningEffort;
}

/** The API takes a choice only along with tools. */
export function toolChoiceOf({ toolChoice, parallelToolCalls }: ModelSettings): Anthropic.ToolChoice | undefined {
  if (toolChoice === "none") return { type: "none" };
  if (toolChoice === undefined && parallelToolCalls === undefined) return undefined;
  return {
    type: toolChoice === "required" ? "any" : "auto",
    ...(parallelToolCalls === undefined ? {} : { disable_parallel_tool_use: !parallelToolCalls }),
  };
}
