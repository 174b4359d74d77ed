// What an adapter has to do while an answer is streamed. Invariant: text is told as it comes, progress only where something has come.
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { AgentError } from "../../core/errors.ts";
import { textOf } from "../../core/message.ts";
import type { Model } from "../../core/model.ts";
import type { SimulatedRequest } from "../simulated-provider/simulated-provider.ts";
import { type AdapterFor, ask, type ConformanceCase, call, question, soon, twoCalls, withAdapter } from "./one-call.ts";

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
      name: "neither keep-alives nor time are progress",
      run: () => withAdapter(adapterFor, { rules: () => keptAlive }, nothingIsProgress),
    },
    {
      name: "a second attempt begins anew",
      run: () =>
        withAdapter(adapterFor, { scenario: [{ fault: "cut", deltas: ["Half ", "of it"] }, { deltas: ["All ", "of it"] }] }, twoAttempts),
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
          if (provider.requests[0]) await soon(provider.requests[0].ended, "what the consumer throws ends the request");
          equal(provider.requests[0]?.disconnected, true);
        }),
    },
    {
      name: "calls side by side do not mix",
      run: () => withAdapter(adapterFor, { rules: echo }, sideBySide),
    },
  ];
}

const keptAlive = { fault: "keep-alive", text: "Hello", intervalMs: 5 } as const;

/** Long enough for a timer that stands in for progress, and for many keep-alives. */
const silenceMs = 300;

async function nothingIsProgress(model: Model) {
  const controller = new AbortController();
  let signs = 0;
  let heard = () => {};
  const begun = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const context = { signal: controller.signal, onText: () => heard(), onProgress: () => void signs++ };
  const answer = call(model, question, context).catch(() => undefined);
  await soon(begun, "the text is handed over");
  const before = signs;
  await setTimeout(silenceMs);
  const after = signs;
  controller.abort(new AgentError("halted", "Somebody halted the run."));
  await soon(answer, "an abort ends the call");
  equal(after, before, "where nothing comes, nothing is progress");
}

async function twoAttempts(model: Model) {
  const pieces: string[] = [];
  await rejects(call(model, question, { onText: () => {} }));
  const { message } = await call(model, question, { attempt: 2, onText: (text) => pieces.push(text) });
  deepEqual(pieces, ["All ", "of it"]);
  equal(textOf(message), "All of it");
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
