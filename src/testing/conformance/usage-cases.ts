// What an adapter has to tell of usage. Invariant: what was reported is told, all of it, and what was not is absent, never 0.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { knownUsage, type Usage } from "../../core/usage.ts";
import type { SimulatedReply } from "../simulated-provider/reply.ts";
import { type AdapterFor, ask, type ConformanceCase, call, question, ways, withAdapter } from "./one-call.ts";

const plain: Usage = { inputTokens: 90, outputTokens: 7 };
const inDetail: Usage = {
  inputTokens: 90,
  inputTokenDetails: { cacheReadTokens: 40, cacheWriteTokens: 10 },
  outputTokens: 7,
  outputTokenDetails: { reasoningTokens: 3 },
};

export function usageCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  const usageOf = async (usage: Usage | null, streamed: boolean) => {
    const told: (Usage | undefined)[] = [];
    const onUsage = (one: Usage) => void told.push(knownUsage(one));
    const { response } = await ask(adapterFor, { text: "x", usage }, { streamed, context: { onUsage } });
    return { told, usage: knownUsage(response.usage) };
  };
  return ways
    .flatMap(({ streamed, way }) => [
      {
        name: `usage with the cache in the total, and all its details ${way}`,
        run: async () => deepEqual((await usageOf(inDetail, streamed)).usage, inDetail),
      },
      {
        name: `usage has no details that were not reported ${way}`,
        run: async () => deepEqual((await usageOf(plain, streamed)).usage, plain),
      },
      {
        name: `usage that is not reported is absent, not 0 ${way}`,
        run: async () => deepEqual(await usageOf(null, streamed), { told: [], usage: undefined }),
      },
      {
        name: `usage is told by onUsage ${way}`,
        run: async () => deepEqual((await usageOf(inDetail, streamed)).told.at(-1), inDetail),
      },
    ])
    .concat({
      name: "usage that has come is told of an answer that breaks off, where the API begins with it",
      run: () => {
        const reply: SimulatedReply = { fault: "reset-mid-body", text: "Half of it", usage: plain };
        return withAdapter(adapterFor, { scenario: [reply] }, async (model, provider) => {
          let told: Usage | undefined;
          await rejects(call(model, question, { onText: () => {}, onUsage: (usage) => (told = usage) }));
          if (provider.requests[0]?.api === "messages") equal(told?.inputTokens, plain.inputTokens);
        });
      },
    });
}
