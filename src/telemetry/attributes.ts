// Names of spans and their attributes, in one place (span events: core/trace): the GenAI conventions (state of August 2026) and our own under `airworthy.`. Never content.
import type { AgentError } from "../core/errors.ts";
import type { RunFacts } from "../core/facts.ts";
import type { Model, ModelRequest, ModelResponse } from "../core/model.ts";
import type { Tool, ToolResult } from "../core/tool.ts";
import type { Attributes, SpanSpec } from "../core/trace.ts";

export const runSpanName = (agent: string) => `invoke_agent ${agent}`;

export const runAttributes = (run: RunFacts, resumed: boolean): Attributes => ({
  "gen_ai.operation.name": "invoke_agent",
  "gen_ai.agent.name": run.agent,
  "gen_ai.conversation.id": run.conversationId,
  "user.id": run.user?.id,
  "airworthy.run.id": run.id,
  "airworthy.run.resumed": resumed,
});

export const outcomeAttributes = (status: string): Attributes => ({ "airworthy.run.outcome": status });

/** `input-filter` becomes `airworthy.input_filter`. */
export const stageSpanName = (stage: string) => `airworthy.${stage.replaceAll("-", "_")}`;

export const stageAttributes = (key: string): Attributes => {
  const turn = /^turn-(\d+)\//.exec(key)?.[1];
  return turn ? { "airworthy.turn": Number(turn) } : {};
};

export const attemptSpanName = (attempt: number) => `airworthy.attempt ${attempt}`;

export const attemptAttributes = (attempt: number, most: number): Attributes => ({
  "airworthy.attempt.number": attempt,
  "airworthy.attempt.max": most,
});

/** The class of an error for backends that group by it. */
export const errorAttributes = (error: AgentError): Attributes => ({ "error.type": error.code });

export const chatSpan = (model: Model, request: ModelRequest, streamed: boolean): SpanSpec<ModelResponse> => ({
  name: `chat ${model.id}`,
  kind: "client",
  attributes: {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": model.provider,
    "gen_ai.request.model": model.id,
    "gen_ai.request.max_tokens": request.settings.maxOutputTokens,
    "gen_ai.request.temperature": request.settings.temperature,
    "gen_ai.request.top_p": request.settings.topP,
    "gen_ai.request.seed": request.settings.seed,
    "gen_ai.request.stream": streamed ? true : undefined,
    "gen_ai.output.type": request.output ? "json" : "text",
  },
  ofValue: ({ finishReason, usage, modelId, responseId }) => ({
    "gen_ai.response.finish_reasons": [finishReason === "tool-calls" ? "tool_call" : finishReason.replace("-", "_")],
    "gen_ai.response.model": modelId,
    "gen_ai.response.id": responseId,
    "gen_ai.usage.input_tokens": usage?.inputTokens,
    "gen_ai.usage.output_tokens": usage?.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": usage?.inputTokenDetails?.cacheReadTokens,
    "gen_ai.usage.cache_write.input_tokens": usage?.inputTokenDetails?.cacheWriteTokens,
    "gen_ai.usage.reasoning.output_tokens": usage?.outputTokenDetails?.reasoningTokens,
  }),
});

export const toolSpan = (name: string, callId: string, tool: Tool, degraded: boolean): SpanSpec<ToolResult> => ({
  name: `execute_tool ${name}`,
  kind: "internal",
  attributes: {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": name,
    "gen_ai.tool.type": "function",
    "gen_ai.tool.call.id": callId,
    "airworthy.tool.risk_tier": tool.risk,
    "airworthy.tool.side_effect": tool.effect,
    "airworthy.tool.repeat": tool.repeat,
    "airworthy.tool.fallback": degraded ? true : undefined,
  },
});

/** Of a tool that does not exist the name stays out: it is the model's own text. */
export const unknownToolSpan = (callId: string): SpanSpec<ToolResult> => ({
  name: "execute_tool",
  kind: "internal",
  attributes: { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.type": "function", "gen_ai.tool.call.id": callId },
});
