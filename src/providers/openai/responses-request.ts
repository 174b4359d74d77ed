// A request of ours as the body of POST /responses. Invariant: what was not asked for is left out, so the provider's defaults hold; but
// nothing is kept at the provider unless the options say so, and `strict`, which is true there when left out, is always said.
import type OpenAI from "openai";
import type { ModelRequest, ModelSettings, ToolSpec } from "../../core/model.ts";
import type { Offered } from "./offered-schema.ts";
import type { OpenAIOptions } from "./openai-options.ts";
import { type InputItem, responsesInput } from "./responses-input.ts";

export type ResponsesBody = Omit<OpenAI.Responses.ResponseCreateParams, "input" | "stream"> & { readonly input: readonly InputItem[] };

/** The body of one request, without the field that asks for a stream. Reads `request`, never changes it. */
export function responsesBody(modelId: string, options: OpenAIOptions, request: ModelRequest, offered: Offered): ResponsesBody {
  const { promptCacheKey, promptCacheTtl, store = false } = options;
  return {
    model: modelId,
    input: responsesInput(modelId, request.messages),
    store,
    ...sampling(request.settings, options),
    ...(request.tools.length > 0 ? offer(request.tools, request.settings, offered) : {}),
    ...(request.output ? { text: { format: textFormat(request.output, offered) } } : {}),
    ...(promptCacheKey === undefined ? {} : { prompt_cache_key: promptCacheKey }),
    ...(promptCacheTtl === undefined ? {} : { prompt_cache_options: { ttl: promptCacheTtl } }),
  };
}

function sampling(settings: ModelSettings, { reasoningSummary: summary }: OpenAIOptions): Partial<ResponsesBody> {
  const { maxOutputTokens, temperature, topP, reasoningEffort: effort } = settings;
  const reasoning = { ...(effort === undefined ? {} : { effort }), ...(summary === undefined ? {} : { summary }) };
  return {
    ...(maxOutputTokens === undefined ? {} : { max_output_tokens: maxOutputTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(Object.keys(reasoning).length > 0 ? { reasoning } : {}),
  };
}

// As with Chat Completions, what is about tools goes along only with tools.
function offer(tools: readonly ToolSpec[], settings: ModelSettings, offered: Offered): Partial<ResponsesBody> {
  return {
    tools: tools.map(({ name, description, inputSchema }) => {
      const { schema, strict } = offered(inputSchema);
      return { type: "function", name, description, parameters: schema, strict };
    }),
    ...(settings.toolChoice === undefined ? {} : { tool_choice: settings.toolChoice }),
    ...(settings.parallelToolCalls === undefined ? {} : { parallel_tool_calls: settings.parallelToolCalls }),
  };
}

const textFormat = ({ name, schema }: NonNullable<ModelRequest["output"]>, offered: Offered) => ({
  type: "json_schema" as const,
  name,
  ...offered(schema),
});
