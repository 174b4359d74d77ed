// The two APIs as one exchange makes use of them: where the request goes, what it is, how its answer is read.
import type { OpenAI } from "openai";
import type { ModelRequest } from "../../core/model.ts";
import type { Api } from "../exchange.ts";
import { createChatAnswer } from "./chat-answer.ts";
import { chatBody } from "./chat-request.ts";
import type { Offered } from "./offered-schema.ts";
import { post } from "./openai-client.ts";
import { openaiError, reportedError, type Sdk } from "./openai-error.ts";
import type { OpenAIOptions } from "./openai-options.ts";
import { rateLimitsIn } from "./rate-limits.ts";
import type { RefusedFields } from "./refused-fields.ts";
import { createResponsesAnswer } from "./responses-answer.ts";
import { responsesBody } from "./responses-request.ts";

/** What the calls of one model share. */
export interface Shared {
  readonly modelId: string;
  readonly options: OpenAIOptions;
  readonly offered: Offered;
  readonly refused: RefusedFields;
}

/** What one call needs to be sent. */
export interface Sending {
  readonly client: OpenAI;
  readonly options: OpenAI.RequestOptions;
  readonly sdk: Sdk;
  readonly now: () => number;
}

/** Throws `input_invalid` for a message the API cannot take. */
export function apiFor(shared: Shared, sending: Sending, request: ModelRequest): Api {
  const { modelId, options } = shared;
  const failed = (error: unknown) => reportedError(error, sending.now());
  return options.api === "responses"
    ? { ...responsesRoute(shared, sending, request), ...common(sending), createAnswer: () => createResponsesAnswer(modelId, failed) }
    : { ...chatRoute(shared, sending, request), ...common(sending), createAnswer: () => createChatAnswer(modelId) };
}

const usageField = { name: "stream_options", value: "include_usage" };
const reasoningField = { name: "include", value: "reasoning.encrypted_content" };

type Route = Pick<Api, "send" | "errorOf">;

const common = ({ now }: Sending): Omit<Api, keyof Route | "createAnswer"> => ({
  provider: "openai",
  reportedError: (error) => reportedError(error, now()),
  rateLimits: rateLimitsIn,
});

/** Not every server knows `stream_options`: without it a streamed answer has no usage. */
function chatRoute(
  { modelId, options, offered, refused }: Shared,
  { client, options: send, sdk, now }: Sending,
  request: ModelRequest,
): Route {
  const body = chatBody(modelId, options, request, offered);
  const asksForUsage = refused.takes(usageField);
  return {
    send: (streamed) => {
      const streaming = { stream: true, ...(asksForUsage ? { stream_options: { include_usage: true } } : {}) };
      return post(client, "/chat/completions", streamed ? { ...body, ...streaming } : body, streamed, send);
    },
    errorOf: (thrown) => refused.learn(openaiError(sdk, thrown, now()), thrown, asksForUsage ? [usageField] : []),
  };
}

/** Models that do not reason refuse `include`: without it nothing of the reasoning can be handed back. */
function responsesRoute(
  { modelId, options, offered, refused }: Shared,
  { client, options: send, sdk, now }: Sending,
  request: ModelRequest,
): Route {
  const asksForReasoning = refused.takes(reasoningField);
  const include = asksForReasoning ? { include: [reasoningField.value] } : {};
  const body = { ...responsesBody(modelId, options, request, offered), ...include };
  return {
    send: (streamed) => post(client, "/responses", streamed ? { ...body, stream: true } : body, streamed, send),
    errorOf: (thrown) => refused.learn(openaiError(sdk, thrown, now()), thrown, asksForReasoning ? [reasoningField] : []),
  };
}
