// Promises 3, 4 and 8 under a provider that fails at random: n attempts are n requests, each run has one end, an act is done once, and
// what was shown is never followed by another answer.
import { createAgent, fallback, type Model, memoryStore, tool } from "airworthy";
import { anthropic } from "airworthy/anthropic";
import { openai } from "airworthy/openai";
import { autoClock, faultMix, passingFaults, type SimulatedProvider, type SimulatedRequest, simulatedProvider } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

type AdapterFor = (provider: SimulatedProvider) => Model;
const adapters: readonly (readonly [string, AdapterFor])[] = [
  ["chat", ({ baseURL }) => openai("chat", { apiKey: "k", baseURL })],
  ["responses", ({ baseURL }) => openai("responses", { apiKey: "k", baseURL, api: "responses" })],
  ["messages", ({ url }) => anthropic("messages", { apiKey: "k", baseURL: url })],
];

/** Also such as show part of an answer before they break. An answer with nothing in it is one, where the API has a word for it. */
const faults = [
  ...passingFaults.filter(({ fault }) => fault !== "empty-choices"),
  { fault: "cut", afterChunks: 3 },
  { fault: "reset-mid-body", afterChunks: 3 },
  { fault: "error-mid-body", afterChunks: 3, error: "overloaded" },
] as const;
const answer = "Your refund is on its way to you.";

/** Pays once, then answers. */
const reply = ({ conversation }: SimulatedRequest) =>
  conversation.some(({ role }) => role === "tool")
    ? { text: answer, chunkSize: 6 }
    : { calls: [{ name: "refund", arguments: { id: "4711" } }] };

describe.each([1, 2, 3])("seed %i", (seed) => {
  test.each(adapters)("%s", { timeout: 30_000 }, async (_, adapterFor) => {
    const provider = await simulatedProvider({ rules: faultMix({ seed, share: 0.4, faults, reply }) });
    const spare = await simulatedProvider({ rules: faultMix({ seed: seed + 100, share: 0.2, faults, reply }) });
    const acts: string[] = [];
    const refund = tool({
      description: "Pays money back.",
      inputSchema: z.object({ id: z.string() }),
      effect: "pay",
      execute: (_input, { idempotencyKey }) => acts.push(idempotencyKey),
    });
    const store = memoryStore();
    const agent = createAgent({
      name: "random",
      store,
      clock: autoClock(),
      model: fallback([adapterFor(provider), adapterFor(spare)]),
      tools: { refund },
      resilience: { retry: { attempts: 3, baseMs: 10 }, breaker: { failures: 8, of: 10, resetMs: 1_000 } },
    });
    let attempts = 0;
    for (let run = 0; run < 12; run++) {
      const stream = agent.stream("Refund order 4711.", { runId: `r${run}` });
      let text = "";
      let ends = 0;
      for await (const event of stream) {
        if (event.type === "text.delta") text += event.text;
        if (event.type === "run.finished") ends += 1;
      }
      const result = await stream.result;
      expect(ends).toBe(1);
      if (result.status === "completed") expect(text).toBe(answer);
      else {
        expect(result).toMatchObject({ status: "failed", resumable: true });
        expect(answer.startsWith(text)).toBe(true);
        if (text !== "") expect(result).toMatchObject({ error: { code: "stream_interrupted" }, text });
      }
      attempts += (await agent.journal(`r${run}`)).filter((entry) => entry.type === "attempt.started" && entry.kind === "model").length;
    }
    expect(provider.count + spare.count).toBe(attempts);
    expect(new Set(acts).size).toBe(acts.length);
    await Promise.all([provider.close(), spare.close()]);
  });
});
