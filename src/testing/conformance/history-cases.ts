// What an adapter has to send of a conversation. Invariant: what the API has a word for is sent; a file may be refused, never left out.
import { deepEqual, notDeepEqual, ok } from "node:assert/strict";
import { AgentError } from "../../core/errors.ts";
import { callsOf, type FilePart, type Message } from "../../core/message.ts";
import type { SimulatedApi } from "../simulated-provider/request.ts";
import { type AdapterFor, ask, type ConformanceCase, call, conformanceTool, question, twoCalls, ways, withAdapter } from "./one-call.ts";
import { sentCalls } from "./sent-request.ts";

const rounds = [
  [{ id: "4711" }, { id: "4712", note: "ü 🚚" }],
  [{ id: "4713" }, { id: "4714" }],
];

/** Two rounds of two calls each. `idOf` names each call, counted from 0 over both. */
function callingMessages(idOf: (position: number) => string): readonly Message[] {
  const made = rounds.map((inputs, round) =>
    inputs.map((input, index) => ({ callId: idOf(2 * round + index), input, content: `result ${round}.${index}` })),
  );
  return made.flatMap((calls): readonly Message[] => [
    {
      role: "assistant",
      content: calls.map(({ callId, input }) => ({ type: "tool-call", callId, name: conformanceTool, arguments: JSON.stringify(input) })),
    },
    ...calls.map(({ callId, content }): Message => ({ role: "tool", callId, name: conformanceTool, content })),
  ]);
}

const expectedCalls = rounds.flatMap((inputs, round) =>
  inputs.map((input, index) => ({ name: conformanceTool, input, result: `result ${round}.${index}` })),
);

/** Where a call could be taken for another: each has an id of its own, all have one, each round has the same two. */
const namings: readonly { readonly what: string; readonly idOf: (position: number) => string }[] = [
  { what: "with ids of their own", idOf: (position) => `call_${position}` },
  { what: "with one id", idOf: () => "call_0" },
  { what: "with ids of the round before", idOf: (position) => `call_${position % 2}` },
];

const bytes = "iVBORw0KGgo=";
const url = "https://files.example/picture.png";
const files: readonly { readonly what: string; readonly file: FilePart; readonly sign: string }[] = [
  { what: "an image", file: { type: "file", mediaType: "image/png", data: bytes }, sign: bytes },
  { what: "an image by its URL", file: { type: "file", mediaType: "image/png", url }, sign: url },
  { what: "a document", file: { type: "file", mediaType: "application/pdf", filename: "a.pdf", data: bytes }, sign: bytes },
];

export function historyCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  const sentFor = async (...messages: readonly Message[]) => {
    const { sent } = await ask(adapterFor, { text: "Done." }, { request: { ...question, messages: [...question.messages, ...messages] } });
    ok(sent, "a request is sent");
    return sent;
  };
  return [
    { name: "sends the whole conversation", run: () => sendsAll(adapterFor) },
    ...namings.map(({ what, idOf }) => ({
      name: `sends every call with its arguments, and each result under the id of its call: ${what}`,
      run: async () => deepEqual(sentCalls((await sentFor(...callingMessages(idOf))).body), expectedCalls),
    })),
    {
      name: "says which calls have failed, where the API has a word for it",
      run: async () => {
        const [calling, result] = callingMessages(() => "call_0");
        ok(calling && result?.role === "tool");
        const fine = await sentFor(calling, result);
        const failed = await sentFor(calling, { ...result, isError: true });
        if (fine.api === "messages") notDeepEqual(failed.body.messages, fine.body.messages);
      },
    },
    ...ways.map(({ streamed, way }) => ({
      name: `hands back what was thought, where the API has a word for it ${way}`,
      run: () => handsBack(adapterFor, streamed),
    })),
    ...files.map(({ what, file, sign }) => ({
      name: `sends ${what}, or refuses it`,
      run: () =>
        withAdapter(adapterFor, { scenario: [{ text: "Done." }] }, async (model, provider) => {
          const messages: readonly Message[] = [{ role: "user", content: [{ type: "text", text: "What is this?" }, file] }];
          const thrown: unknown = await call(model, { ...question, messages }, {}).then(
            () => undefined,
            (error: unknown) => error,
          );
          const sent = provider.requests[0];
          if (!sent && AgentError.is(thrown)) return;
          ok(JSON.stringify(sent?.body).includes(sign), "a file is not left out");
          ok(JSON.stringify(sent?.body).includes("What is this?"), "nor is the text beside it");
        }),
    })),
  ];
}

async function sendsAll(adapterFor: AdapterFor) {
  const first = await ask(adapterFor, { reasoning: "Hm.", text: "Let me look.", calls: twoCalls });
  const messages: readonly Message[] = [
    { role: "system", content: "Be brief." },
    { role: "system", content: "Be kind." },
    ...question.messages,
    first.response.message,
    ...callsOf(first.response.message).map(
      ({ callId, name }, position): Message => ({ role: "tool", callId, name, content: `result ${position}` }),
    ),
  ];
  const { sent } = await ask(adapterFor, { text: "Done." }, { request: { ...question, messages } });
  const turns = sent?.conversation ?? [];
  const instructions = turns.filter(({ role }) => role === "system").map(({ text }) => text);
  ok(/Be brief\.[^]*Be kind\./.test(instructions.join("\n")), "all instructions are sent");
  deepEqual(
    turns.filter(({ role }) => role !== "system").map(({ role, text }) => [role, text]),
    [
      ["user", "Where is my order?"],
      ["assistant", "Let me look."],
      ["tool", "result 0"],
      ["tool", "result 1"],
    ],
  );
}

/** What the provider wants to see again of a thought: in Responses the encrypted text, or the id of what is kept there. */
const signsOf: Readonly<Record<SimulatedApi, readonly string[]>> = {
  chat: [],
  responses: ["encrypted_0_0", "rs_0_0"],
  messages: ["signature_0"],
};

async function handsBack(adapterFor: AdapterFor, streamed: boolean) {
  const { response, sent } = await ask(adapterFor, { reasoning: "Look it up.", calls: twoCalls.slice(0, 1) }, { streamed });
  const signs = sent ? signsOf[sent.api] : [];
  if (signs.length === 0) return;
  const thoughts = response.message.content.flatMap((part) => (part.type === "reasoning" ? [part.text] : []));
  deepEqual(thoughts, ["Look it up."]);
  const results = callsOf(response.message).map(({ callId, name }): Message => ({ role: "tool", callId, name, content: "late" }));
  const messages = [...question.messages, response.message, ...results];
  const next = await ask(adapterFor, { text: "Done." }, { request: { ...question, messages } });
  const body = JSON.stringify(next.sent?.body);
  ok(
    signs.some((sign) => body.includes(sign)),
    "what was thought goes back with the results it led to",
  );
}
