// The two APIs as one exchange makes use of them: where the request goes, what it is, how its answer is read.
import type { OpenAI } from "openai";
import type { ModelRequest } from "../../core/model.ts";
import type { Answer, Api } from "../exchange.ts";
import { createChatAnswer } from "./chat-answer.ts";
import { chatBody } from "./chat-request.ts";
import type { Offered } from "./offered-schema.ts";
import { post } from "./openai-client.ts";
import { openaiError, reportedError, type Sdk } from "./openai-error.ts";
import type { OpenAIOptions } from "./openai-options.ts";
import { rateLimitsIn } from "./openai-rate-limits.ts";
import type { Field, RefusedFields } from "./refused-fields.ts";
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
  readonly streamed: boolean;
}

export interface OpenAIExchange extends Api {
  /** Fields this request goes without because the server has refused them. */
  readonly without: readonly string[];
}

/** Throws `provider_rejected` for a message the API cannot take. */
export function apiFor(shared: Shared, sending: Sending, request: ModelRequest): OpenAIExchange {
  const { client, options, sdk, now, streamed } = sending;
  const { refused } = shared;
  const route = shared.options.api === "responses" ? responsesRoute(shared, now, request) : chatRoute(shared, request, streamed);
  const { optional } = route;
  const sent = optional.filter((field) => refused.takes(field));
  const body = {
    ...route.body,
    ...(streamed ? { stream: true } : {}),
    ...Object.fromEntries(sent.map(({ name, content }) => [name, content])),
  };
  return {
    provider: "openai",
    without: optional.filter((field) => !sent.includes(field)).map(({ name }) => name),
    send: () => post(client, route.path, body, streamed, options),
    createAnswer: route.createAnswer,
    errorOf: (thrown) => refused.learn(openaiError(sdk, thrown, now()), thrown, sent),
    reportedError: (error) => reportedError(error, now()),
    rateLimits: rateLimitsIn,
  };
}

interface Route {
  readonly path: string;
  readonly body: object;
  /** What the answer can do without. */
  readonly optional: readonly (Field & { readonly content: unknown })[];
  readonly createAnswer: () => Answer;
}

/** Not every server knows `stream_options`: without it a streamed answer has no usage. */
const usageField = { name: "stream_options", value: "include_usage", content: { include_usage: true } };

/** Models that do not reason refuse `include`: without it nothing of the reasoning can be handed back. */
const reasoningField = { name: "include", value: "reasoning.encrypted_content", content: ["reasoning.encrypted_content"] };

const chatRoute = ({ modelId, options, offered }: Shared, request: ModelRequest, streamed: boolean): Route => ({
  path: "/chat/completions",
  body: chatBody(modelId, options, request, offered),
  optional: streamed ? [usageField] : [],
  createAnswer: () => createChatAnswer(modelId),
});

const responsesRoute = ({ modelId, options, offered }: Shared, now: () => number, request: ModelRequest): Route => ({
  path: "/responses",
  body: responsesBody(modelId, options, request, offered),
  optional: [reasoningField],
  createAnswer: () => createResponsesAnswer(modelId, (error) => reportedError(error, now())),
});
