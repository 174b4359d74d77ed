// What an adapter has to make of a good answer, as JSON and as a stream. Invariant: both ways give the same response.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AgentError } from "../../core/errors.ts";
import { callsOf, textOf } from "../../core/message.ts";
import type { Model } from "../../core/model.ts";
import type { SimulatedAnswer } from "../simulated-provider/reply.ts";
import type { SimulatedRequest } from "../simulated-provider/simulated-provider.ts";
import { type AdapterFor, ask, type ConformanceCase, call, question, twoCalls, withAdapter } from "./one-call.ts";

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

export function answerCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  const ways = [false, true].map((streamed) => ({ streamed, way: streamed ? "as a stream" : "as JSON" }));
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
          const calls = callsOf(response.message).map(({ name, arguments: args }) => ({ name, arguments: JSON.parse(args) }));
          deepEqual(calls, twoCalls);
          equal(response.finishReason, "tool-calls");
          equal((await ask(adapterFor, { text: "x" }, { streamed })).response.finishReason, "stop");
          equal((await ask(adapterFor, { refusal: "No." }, { streamed })).response.finishReason, "content-filter");
        },
      },
      {
        name: `usage with the cache in the total, and none where none was reported ${way}`,
        run: async () => {
          const usage = { inputTokens: 90, inputTokenDetails: { cacheReadTokens: 40 }, outputTokens: 7 };
          const { response } = await ask(adapterFor, { text: "x", usage }, { streamed });
          equal(response.usage?.inputTokens, 90);
          equal(response.usage?.inputTokenDetails?.cacheReadTokens, 40);
          equal(response.usage?.outputTokens, 7);
          const unreported = await ask(adapterFor, { text: "x", usage: null }, { streamed });
          ok(!("usage" in unreported.response) || unreported.response.usage === undefined, "usage that is not reported is absent, not 0");
        },
      },
    ]),
  ];
}

export function streamCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return [
    {
      name: "hands text over in order, as it comes",
      run: async () => {
        const deltas = ["One ", "two ", "three ", "four"];
        const pieces: string[] = [];
        await ask(adapterFor, { deltas }, { context: { onText: (text) => pieces.push(text) } });
        deepEqual(pieces, deltas);
      },
    },
    {
      name: "tells of calls by onProgress, and of nothing where nothing comes",
      run: async () => {
        let signs = 0;
        const context = { onText: () => {}, onProgress: () => void signs++ };
        await ask(adapterFor, { calls: twoCalls, chunkSize: 4 }, { context });
        ok(signs >= 4, `each piece of a call is a sign of life; there were ${signs}`);
      },
    },
    {
      name: "what the consumer of the text throws is its own, and ends the request",
      run: () =>
        withAdapter(adapterFor, { scenario: [{ fault: "stall", text: "Hello" }] }, async (model, provider) => {
          const bug = new AgentError("stage_failed", "A bug in onText.");
          const onText = () => {
            throw bug;
          };
          await rejects(call(model, question, { onText }), (thrown) => thrown === bug);
          await provider.requests[0]?.ended;
          equal(provider.requests[0]?.disconnected, true);
        }),
    },
    {
      name: "calls side by side do not mix",
      run: () => withAdapter(adapterFor, { rules: echo }, sideBySide),
    },
  ];
}

const echo = ({ conversation }: SimulatedRequest) => ({ text: `You said ${conversation.at(-1)?.text}.`, chunkSize: 2 });

async function sideBySide(model: Model) {
  const said = Array.from({ length: 16 }, (_, position) => `number ${position}`);
  const hear = async (content: string) => {
    let text = "";
    const onText = (piece: string) => void (text += piece);
    const response = await call(model, { ...question, messages: [{ role: "user", content }] }, { onText });
    equal(textOf(response.message), text);
    return text;
  };
  const expected = said.map((content) => `You said ${content}.`);
  deepEqual(await Promise.all(said.map(hear)), expected);
}
