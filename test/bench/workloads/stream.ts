// One answer in 500 pieces: what the runtime adds between an adapter that hands them over and a consumer that reads them.
import { createAgent, type Model } from "airworthy";
import { best, interleaved, type Workload } from "../measure.ts";

const deltas = 500;
const piece = "token ";

/** As an SDK gives them: each after a turn of the promise queue. */
async function* pieces(): AsyncGenerator<string> {
  for (let count = 0; count < deltas; count++) yield await Promise.resolve(piece);
}

const model: Model = {
  provider: "scripted",
  id: "scripted",
  call: async (_request, { onText }) => {
    let text = "";
    for await (const delta of pieces()) {
      text += delta;
      onText?.(delta);
    }
    return { message: { role: "assistant", content: [{ type: "text", text }] }, finishReason: "stop" };
  },
};

/** Hands each piece on as it comes and keeps the whole, which is what a hand-written loop does. */
async function* streamByHand(): AsyncGenerator<string> {
  let text = "";
  for await (const delta of pieces()) {
    text += delta;
    yield delta;
  }
  ensureWhole(text);
}

async function readAll(stream: AsyncIterable<string>) {
  let text = "";
  for await (const delta of stream) text += delta;
  ensureWhole(text);
}

function ensureWhole(text: string) {
  if (text.length !== deltas * piece.length) throw new Error("Part of the text is missing.");
}

export const stream: Workload = {
  name: "stream",
  measure: async (effort) => {
    const agent = createAgent({ name: "bench", model });
    const times = await interleaved(
      effort,
      200,
      async (runs) => {
        for (let count = 0; count < runs; count++) await readAll(agent.stream("go").textStream);
      },
      async (runs) => {
        for (let count = 0; count < runs; count++) await readAll(streamByHand());
      },
    );
    const unit = "us per delta";
    return [{ what: "500-delta stream", unit, ours: best(times.ours) / deltas, byHand: best(times.byHand) / deltas, aim: 0.8 }];
  },
};
