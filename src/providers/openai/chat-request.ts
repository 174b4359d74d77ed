// A request of ours as the body of POST /chat/completions. Invariant: what was not asked for is left out, so the provider's defaults hold.
import type OpenAI from "openai";
import type { ModelRequest, ModelSettings, ToolSpec } from "../../core/model.ts";
import { chatMessages } from "./chat-messages.ts";
import type { Offered } from "./offered-schema.ts";
import type { OpenAIOptions } from "./openai-options.ts";

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;

/** The body of one request, without the fields that ask for a stream. Reads `request`, never changes it. */
export function chatBody(modelId: string, options: OpenAIOptions, request: ModelRequest, offered: Offered): Body {
  return {
    model: modelId,
    messages: chatMessages(modelId, request.messages),
    ...sampling(request.settings),
    ...(request.tools.length > 0 ? offer(request.tools, request.settings, offered) : {}),
    ...(request.output ? { response_format: responseFormat(request.output, offered) } : {}),
    ...(options.store === undefined ? {} : { store: options.store }),
    ...(options.promptCacheKey === undefined ? {} : { prompt_cache_key: options.promptCacheKey }),
    ...(options.promptCacheTtl === "30m" ? { prompt_cache_options: { ttl: options.promptCacheTtl } } : {}),
  };
}

function sampling(settings: ModelSettings): Partial<Body> {
  return {
    ...(settings.maxOutputTokens === undefined ? {} : { max_completion_tokens: settings.maxOutputTokens }),
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    ...(settings.topP === undefined ? {} : { top_p: settings.topP }),
    ...(settings.seed === undefined ? {} : { seed: settings.seed }),
    ...(settings.stop === undefined ? {} : { stop: [...settings.stop] }),
    ...(settings.reasoningEffort === undefined ? {} : { reasoning_effort: settings.reasoningEffort }),
  };
}

// The endpoint rejects `tool_choice` and `parallel_tool_calls` when no tools are given.
function offer(tools: readonly ToolSpec[], settings: ModelSettings, offered: Offered): Partial<Body> {
  return {
    tools: tools.map(({ name, description, inputSchema }) => {
      const { schema, strict } = offered(inputSchema);
      // To leave it out means not strict, and spares servers a word they may not know.
      return { type: "function", function: { name, description, parameters: schema, ...(strict ? { strict } : {}) } };
    }),
    ...(settings.toolChoice === undefined ? {} : { tool_choice: settings.toolChoice }),
    ...(settings.parallelToolCalls === undefined ? {} : { parallel_tool_calls: settings.parallelToolCalls }),
  };
}

function responseFormat({ name, schema }: NonNullable<ModelRequest["output"]>, offered: Offered): NonNullable<Body["response_format"]> {
  return { type: "json_schema", json_schema: { name, ...offered(schema) } };
}
