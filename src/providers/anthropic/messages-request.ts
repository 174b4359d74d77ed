// A request of ours as the body of POST /v1/messages. Invariant: what was not asked for is left out, so the provider's defaults hold; what
// the API does not have is refused.
import type Anthropic from "@anthropic-ai/sdk";
import type { ModelOffer, ModelRequest } from "../../core/model.ts";
import type { AnthropicOptions } from "./anthropic-options.ts";
import { marked } from "./messages-cache.ts";
import { checkSettings, effortOf, settingParams, toolChoiceOf } from "./messages-settings.ts";
import { type Offered, offered } from "./messages-tools.ts";
import { conversationOf, type Turn } from "./messages-turns.ts";

export type Body = Anthropic.MessageCreateParamsNonStreaming;

/** How requests of one model are written; what an agent offers is converted once. */
export interface MessagesWriter {
  /** Throws `configuration_invalid` for what the API does not have or cannot take. */
  check(offer: ModelOffer): void;
  /** The body of one request, without the field that asks for a stream. Reads `request`, never changes it. */
  body(request: ModelRequest): Body;
}

export function createMessagesWriter(modelId: string, options: AnthropicOptions): MessagesWriter {
  const { thinking, promptCache = "5m", strictTools = true } = options;
  const offers = new WeakMap<ModelOffer["tools"], { readonly output: ModelOffer["output"]; readonly made: Offered }>();

  const offeredOnce = (offer: ModelOffer): Offered => {
    const known = offers.get(offer.tools);
    if (known && known.output === offer.output) return known.made;
    const made = offered(offer, strictTools);
    offers.set(offer.tools, { output: offer.output, made });
    return made;
  };

  return {
    check(offer) {
      checkSettings({ ...offer.settings, ...options.settings }, thinking);
      offeredOnce(offer);
    },
    body(request) {
      const { settings } = request;
      checkSettings(settings, thinking);
      const { tools, format } = offeredOnce(request);
      const { called, ...conversation } = conversationOf(request.messages);
      const leftover = tools.length === 0 ? [...called].map(formerTool) : [];
      const choice = leftover.length > 0 ? ({ type: "none" } as const) : toolChoiceOf(settings);
      const hasTools = tools.length + leftover.length > 0;
      const effort = effortOf(settings);
      const thinks = thinking?.type !== "enabled" || mayThink(conversation.turns);
      return {
        model: modelId,
        ...settingParams(settings, thinks ? thinking : { type: "disabled" }),
        ...marked({ ...conversation, tools: leftover.length > 0 ? leftover : tools }, promptCache),
        ...(hasTools && choice ? { tool_choice: choice } : {}),
        ...(effort || format ? { output_config: { ...(effort ? { effort } : {}), ...(format ? { format } : {}) } } : {}),
      };
    },
  };
}

/**
 * With thinking that is enabled, the API wants a loop of calls that goes on to have begun with a thought, signed by itself. One that
 * another provider began, or this one without thinking, has none.
 */
function mayThink(turns: readonly Turn[]): boolean {
  if (!turns.at(-1)?.content.some(isResult)) return true;
  const begun = turns.findLastIndex(({ role, content }, position) => {
    return role === "user" && position < turns.length - 1 && !content.every(isResult);
  });
  return turns.slice(begun).some(({ role, content: [first] }) => role === "assistant" && isThought(first));
}

const isResult = ({ type }: Turn["content"][number]) => type === "tool_result";
const isThought = (block: Turn["content"][number] | undefined) => block?.type === "thinking" || block?.type === "redacted_thinking";

/** The API wants the tools described that a conversation calls, also when there are none any more. */
const formerTool = (name: string): Anthropic.Tool => ({
  name,
  description: "Not available any more.",
  input_schema: { type: "object" },
});
