// What an adapter has to make of a good answer, as JSON and as a stream. Invariant: both ways give the same response.
import { deepEqual, equal } from "node:assert/strict";
import { callsOf, textOf } from "../../core/message.ts";
import type { ModelResponse } from "../../core/model.ts";
import type { SimulatedAnswer } from "../simulated-provider/reply.ts";
import type { SimulatedApi } from "../simulated-provider/request.ts";
import type { SimulatedRequest } from "../simulated-provider/simulated-provider.ts";
import { type AdapterFor, ask, type ConformanceCase, call, question, twoCalls, ways, withAdapter } from "./one-call.ts";

const answers: readonly { readonly what: string; readonly reply: SimulatedAnswer }[] = [
  { what: "text", reply: { text: "On its way — 🚚.", chunkSize: 3 } },
  { what: "one call", reply: { calls: twoCalls.slice(0, 1), chunkSize: 4 } },
  { what: "text and parallel calls", reply: { text: "Let me look.", calls: twoCalls, chunkSize: 5 } },
  { what: "reasoning and text", reply: { reasoning: "Hm. Let me think.", text: "Yes.", chunkSize: 5 } },
  { what: "a refusal", reply: { refusal: "I cannot help with that." } },
  { what: "no usage", reply: { text: "x", usage: null } },
  {
    what: "usage in detail",
    reply: {
      text: "x",
      usage: {
        inputTokens: 90,
        inputTokenDetails: { cacheReadTokens: 40, cacheWriteTokens: 10 },
        outputTokens: 7,
        outputTokenDetails: { reasoningTokens: 3 },
      },
    },
  },
];

const tooLong: Readonly<Record<SimulatedApi, string>> = { chat: "length", responses: "max_output_tokens", messages: "max_tokens" };
const responseIds: Readonly<Record<SimulatedApi, string>> = { chat: "chatcmpl-0", responses: "resp_0", messages: "msg_0" };

/** By the names of every API. */
const allowances = {
  "x-ratelimit-remaining-requests": "59",
  "x-ratelimit-remaining-tokens": "149984",
  "anthropic-ratelimit-requests-remaining": "59",
  "anthropic-ratelimit-tokens-remaining": "149984",
};

const madeIn = ({ message }: ModelResponse) => callsOf(message).map(({ name, arguments: args }) => ({ name, arguments: JSON.parse(args) }));

const listening = (streamed: boolean) => (streamed ? { onText: () => {} } : {});

export function answerCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return [
    ...answers.map(({ what, reply }) => ({
      name: `an answer is the same streamed and not: ${what}`,
      run: async () => {
        const whole = await ask(adapterFor, reply);
        const streamed = await ask(adapterFor, reply, { streamed: true });
        deepEqual(streamed.response, whole.response);
        equal(streamed.sent?.streamed, true, "onText asks for a stream");
        equal(whole.sent?.streamed, false, "without onText nothing is streamed");
      },
    })),
    ...ways.flatMap(({ streamed, way }) => [
      {
        name: `text, calls in order, and why it ended ${way}`,
        run: async () => {
          const { response } = await ask(adapterFor, { text: "Let me look.", calls: twoCalls }, { streamed });
          equal(textOf(response.message), "Let me look.");
          deepEqual(madeIn(response), twoCalls);
          equal(response.finishReason, "tool-calls");
          equal((await ask(adapterFor, { text: "x" }, { streamed })).response.finishReason, "stop");
          equal((await ask(adapterFor, { refusal: "No." }, { streamed })).response.finishReason, "content-filter");
        },
      },
      {
        name: `an answer that was cut off for its length says so ${way}`,
        run: async () => {
          const rules = ({ api }: SimulatedRequest) => ({ text: "Half of", finishReason: tooLong[api] });
          const { finishReason } = await withAdapter(adapterFor, { rules }, (model) => call(model, question, listening(streamed)));
          equal(finishReason, "length");
        },
      },
      {
        name: `calls that share an id are all there ${way}`,
        run: async () => {
          const { response } = await ask(adapterFor, { fault: "duplicate-call-ids", calls: twoCalls }, { streamed });
          deepEqual(madeIn(response), twoCalls);
        },
      },
      {
        name: `says which model answered, under which ids, and what is left of the allowances ${way}`,
        run: async () => {
          const { response, sent } = await ask(adapterFor, { text: "x", model: "answering-model", headers: allowances }, { streamed });
          equal(response.modelId, "answering-model");
          equal(response.requestId, "req_0");
          equal(response.responseId, sent && responseIds[sent.api]);
          equal(response.rateLimits?.requests?.remaining, 59);
          equal(response.rateLimits?.tokens?.remaining, 149_984);
        },
      },
    ]),
  ];
}
