// A request of ours as the body of POST /chat/completions. Invariant: what was not asked for is left out, so the provider's defaults hold.
import type OpenAI from "openai";
import type { AssistantMessage, Message, UserPart } from "../../core/message.ts";
import { callsOf, textOf } from "../../core/message.ts";
import type { ModelRequest, ModelSettings, ToolSpec } from "../../core/model.ts";

type Body = OpenAI.ChatCompletionCreateParamsNonStreaming;

/** The body of one request, without the fields that ask for a stream. Reads `request`, never changes it. */
export function chatBody(modelId: string, request: ModelRequest): Body {
  return {
    model: modelId,
    messages: request.messages.map(chatMessage),
    ...sampling(request.settings),
    ...(request.tools.length > 0 ? offer(request.tools, request.settings) : {}),
    ...(request.output ? { response_format: responseFormat(request.output) } : {}),
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
function offer(tools: readonly ToolSpec[], settings: ModelSettings): Partial<Body> {
  return {
    tools: tools.map((tool) => ({
      type: "function",
      function: { name: tool.name, description: tool.description, parameters: tool.inputSchema },
    })),
    ...(settings.toolChoice === undefined ? {} : { tool_choice: settings.toolChoice }),
    ...(settings.parallelToolCalls === undefined ? {} : { parallel_tool_calls: settings.parallelToolCalls }),
  };
}

// Not strict: strict mode refuses schemas with optional fields or records, and the runtime validates the answer anyway.
function responseFormat({ name, schema }: NonNullable<ModelRequest["output"]>): NonNullable<Body["response_format"]> {
  return { type: "json_schema", json_schema: { name, schema, strict: false } };
}

function chatMessage(message: Message): OpenAI.ChatCompletionMessageParam {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.content };
    case "user":
      return { role: "user", content: typeof message.content === "string" ? message.content : message.content.map(userPart) };
    case "assistant":
      return assistantMessage(message);
    case "tool":
      return { role: "tool", tool_call_id: message.callId, content: message.content };
  }
}

function userPart(part: UserPart): OpenAI.ChatCompletionContentPart {
  if (part.type === "text") return { type: "text", text: part.text };
  const url = part.url ?? `data:${part.mediaType};base64,${part.data}`;
  return { type: "image_url", image_url: { url } };
}

// Reasoning is left out: this endpoint takes none back.
function assistantMessage(message: AssistantMessage): OpenAI.ChatCompletionAssistantMessageParam {
  const text = textOf(message);
  const calls = callsOf(message);
  if (calls.length === 0) return { role: "assistant", content: text };
  return {
    role: "assistant",
    content: text === "" ? null : text,
    tool_calls: calls.map((call) => ({
      type: "function",
      id: call.callId,
      function: { name: call.name, arguments: call.arguments },
    })),
  };
}
