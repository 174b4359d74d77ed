// The journal holds every message once, and still everything: what each model was sent can be put together again, word for word.
import {
  createAgent,
  fallback,
  type Guardrails,
  type Model,
  type ModelChoice,
  type ModelFallback,
  type ModelRequest,
  memoryStore,
  modelRequests,
  route,
  tool,
} from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { newWorld, scenarios } from "../promises/scenarios.ts";

/** The same models, keeping what each was asked at its first attempt. */
function listening(choice: ModelChoice) {
  const heard: ModelRequest[] = [];
  const listener = (model: Model): Model => ({
    provider: model.provider,
    id: model.id,
    call: (request, context) => {
      if (context.attempt === 1) heard.push(JSON.parse(JSON.stringify(request)));
      return model.call(request, context);
    },
  });
  const wrap = (models: Model | ModelFallback) => ("call" in models ? listener(models) : fallback(models.models.map(listener)));
  if (!("tiers" in choice)) return { heard, model: wrap(choice) };
  const tiers = Object.fromEntries(Object.entries(choice.tiers).map(([tier, models]) => [tier, wrap(models)]));
  return { heard, model: route({ tiers, choose: (question) => choice.choose(question) }) };
}

const rewrite: Guardrails = {
  input: [{ name: "i", check: ({ text }) => ({ verdict: "rewrite", text: `${text}!` }) }],
  toolInput: [{ name: "ti", check: ({ text }) => ({ verdict: "rewrite", text }) }],
  toolOutput: [{ name: "to", check: ({ text }) => ({ verdict: "rewrite", text: text.toUpperCase() }) }],
};
const block: Guardrails = { toolInput: [{ name: "ti", check: () => ({ verdict: "block", message: "no" }) }] };

describe.each(scenarios)("$name", ({ input, options, resume }) => {
  test.each([
    ["without guardrails", {}],
    ["with guardrails that rewrite", rewrite],
    ["with guardrails that block", block],
  ])("%s", async (_, guardrails) => {
    const own = options(newWorld());
    const { heard, model } = listening(own.model);
    const agent = createAgent({ ...own, model, guardrails: { ...guardrails, ...own.guardrails } });
    await agent.run(input, { runId: "r" });
    if (resume) await agent.resume("r", resume);
    expect(modelRequests(await agent.journal("r")).map(({ request }) => request)).toEqual(heard);
  });
});

test("a conversation given, other tools after a resume, an answer of the middleware: all is there", async () => {
  const store = memoryStore();
  const find = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "x" });
  const first = listening(scriptedModel([{ calls: [{ name: "find", arguments: {} }] }]));
  const options = { name: "a", store, clock: autoClock(), instructions: () => "Made up." };
  const conversation = [
    { role: "user", content: [{ type: "text", text: "hi" }] },
    { role: "assistant", content: [{ type: "text", text: "hello" }] },
    { role: "user", content: "and now?" },
  ] as const;
  await createAgent({ ...options, model: first.model, tools: { find }, policy: { limits: { turns: 1 } } }).run(conversation, {
    runId: "r",
  });
  const second = listening(scriptedModel(["done"], { id: "other" }));
  const agent = createAgent({ ...options, model: second.model, tools: { find, more: find }, settings: { temperature: 0 } });
  await agent.resume("r", { limits: { turns: 3 } });
  const requests = modelRequests(await agent.journal("r"));
  expect(requests.map(({ request }) => request)).toEqual([...first.heard, ...second.heard]);
  expect(requests.map(({ model }) => model)).toEqual(["scripted", "other"]);
  expect((await agent.journal("r")).filter((entry) => entry.type === "note")).toMatchObject([
    { note: "input-changed", key: "turn-1/model/0" },
  ]);
});
