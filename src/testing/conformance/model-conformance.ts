// What the runtime relies on in a model, as cases any test runner can run. Invariant: nothing is believed of an adapter that HTTP did not show.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { AgentError } from "../../core/errors.ts";
import { callsOf, textOf } from "../../core/message.ts";
import type { Model, ModelContext, ModelRequest, ModelResponse } from "../../core/model.ts";
import type { SimulatedAnswer, SimulatedReply } from "../simulated-provider/reply.ts";
import { type SimulatedProvider, simulatedProvider } from "../simulated-provider/simulated-provider.ts";
import { conformanceTool, faultTable } from "./fault-table.ts";
import { type AdapterFor, measureFault } from "./measured-fault.ts";

/** One thing an adapter has to do. `run` rejects with an `AssertionError` when it does not. */
export interface ConformanceCase {
  readonly name: string;
  run(): Promise<void>;
}

/**
 * The cases for an adapter that speaks Chat Completions, Responses or Messages: good answers as JSON and as a stream, histories, aborts, and
 * every fault of the fault table through a real agent.
 *
 *     for (const { name, run } of modelConformance((provider) => acme("m", { baseURL: provider.baseURL }))) test(name, run);
 */
export function modelConformance(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return [
    ...answerCases(adapterFor),
    ...streamCases(adapterFor),
    ...requestCases(adapterFor),
    ...abortCases(adapterFor),
    ...faultCases(adapterFor),
  ];
}

const question: ModelRequest = { messages: [{ role: "user", content: "Where is my order?" }], tools: [], settings: {} };
const lookUp = { name: conformanceTool, description: "Looks an order up.", inputSchema: { type: "object", properties: {} } };

interface Asking {
  readonly request?: ModelRequest;
  readonly streamed?: boolean;
  readonly context?: Partial<ModelContext>;
}

/** One call, answered with `reply`; what was asked is frozen, for an adapter changes nothing. */
async function ask(adapterFor: AdapterFor, reply: SimulatedReply, { request = question, streamed = false, context = {} }: Asking = {}) {
  await using provider = await simulatedProvider({ scenario: [reply] });
  const response = await call(adapterFor(provider), request, { ...(streamed ? { onText: () => {} } : {}), ...context });
  return { response, sent: provider.requests[0] };
}

const call = (model: Model, request: ModelRequest, context: Partial<ModelContext>): Promise<ModelResponse> =>
  model.call(frozen(request), { signal: new AbortController().signal, attempt: 1, now: () => Date.now(), ...context });

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}

const twoCalls = [
  { name: conformanceTool, arguments: { id: "4711" } },
  { name: conformanceTool, arguments: { id: "4712", note: "ü 🚚" } },
];
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

function answerCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
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

function streamCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
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
      run: async () => {
        const bug = new AgentError("stage_failed", "A bug in onText.");
        await using provider = await simulatedProvider({ scenario: [{ fault: "stall", text: "Hello" }] });
        const onText = () => {
          throw bug;
        };
        await rejects(call(adapterFor(provider), question, { onText }), (thrown) => thrown === bug);
        await provider.requests[0]?.ended;
        equal(provider.requests[0]?.disconnected, true);
      },
    },
    {
      name: "calls side by side do not mix",
      run: async () => {
        await using provider = await simulatedProvider({
          rules: ({ conversation }) => ({ text: `You said ${conversation.at(-1)?.text}.`, chunkSize: 2 }),
        });
        const model = adapterFor(provider);
        const said = Array.from({ length: 16 }, (_, position) => `number ${position}`);
        const heard = await Promise.all(
          said.map(async (content) => {
            let text = "";
            const onText = (piece: string) => void (text += piece);
            const response = await call(model, { ...question, messages: [{ role: "user", content }] }, { onText });
            equal(textOf(response.message), text);
            return text;
          }),
        );
        deepEqual(
          heard,
          said.map((content) => `You said ${content}.`),
        );
      },
    },
  ];
}

function requestCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return [
    {
      name: "sends the whole conversation and the tools",
      run: async () => {
        const first = await ask(adapterFor, { reasoning: "Hm.", text: "Let me look.", calls: twoCalls });
        const calls = callsOf(first.response.message);
        const messages = [
          { role: "system" as const, content: "Be brief." },
          ...question.messages,
          first.response.message,
          ...calls.map(({ callId, name }, position) => ({ role: "tool" as const, callId, name, content: `result ${position}` })),
        ];
        const { sent } = await ask(adapterFor, { text: "Done." }, { request: { messages, tools: [lookUp], settings: {} } });
        deepEqual(
          sent?.conversation.map(({ role, text }) => [role, text]),
          [
            ["system", "Be brief."],
            ["user", "Where is my order?"],
            ["assistant", "Let me look."],
            ["tool", "result 0"],
            ["tool", "result 1"],
          ],
        );
        equal(sent?.body.tools?.length, 1);
      },
    },
    {
      name: "takes an offer without tools or settings",
      run: async () => {
        await using provider: SimulatedProvider = await simulatedProvider({ scenario: [] });
        adapterFor(provider).check?.({ tools: [], settings: {} });
      },
    },
  ];
}

function abortCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  const reason = new AgentError("halted", "Somebody halted the run.");
  const abortedBy = async (reply: SimulatedReply, streamed: boolean, when: "before" | "waiting" | "text") => {
    const controller = new AbortController();
    await using provider = await simulatedProvider({
      rules: () => {
        if (when === "waiting") controller.abort(reason);
        return reply;
      },
    });
    if (when === "before") controller.abort(reason);
    const onText = () => {
      if (when === "text") controller.abort(reason);
    };
    await rejects(
      call(adapterFor(provider), question, { signal: controller.signal, ...(streamed ? { onText } : {}) }),
      (thrown) => thrown === reason,
    );
    await provider.requests[0]?.ended;
    equal(provider.count, when === "before" ? 0 : 1);
    if (when !== "before") equal(provider.requests[0]?.disconnected, true, "the connection is closed");
  };
  return [
    { name: "an abort before the call sends nothing", run: () => abortedBy({ text: "x" }, false, "before") },
    {
      name: "an abort while nothing is answered closes the connection, as JSON",
      run: () => abortedBy({ fault: "hang" }, false, "waiting"),
    },
    {
      name: "an abort while nothing is answered closes the connection, as a stream",
      run: () => abortedBy({ fault: "hang" }, true, "waiting"),
    },
    {
      name: "an abort in the middle of the text closes the connection",
      run: () => abortedBy({ fault: "stall", text: "Hello" }, true, "text"),
    },
  ];
}

function faultCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return faultTable.flatMap((fault) =>
    [false, true].map((streamed) => ({
      name: `${fault.name}, ${streamed ? "as a stream" : "as JSON"}`,
      run: async () => {
        const expected = streamed ? (fault.streamed ?? fault.whole) : fault.whole;
        const { api, ...measured } = await measureFault(adapterFor, fault, streamed);
        if (fault.only && fault.only !== api) return;
        const code = measured.code === fault.alsoFine ? expected.code : measured.code;
        deepEqual({ ...measured, ...(code ? { code } : {}) }, expected);
      },
    })),
  );
}
