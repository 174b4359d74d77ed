// Promise 5: what a guardrail withholds leaves by no door: not by stream, event, result or error, and not by the transcript.
import { createAgent, type Guardrail, type RunEvent, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const secret = "CANARY-4711";
const find = tool({ description: "d", effect: "read", inputSchema: z.object({ q: z.string() }), execute: ({ q }) => `found ${q}` });
const block: Guardrail = {
  name: "g",
  check: ({ text }) => (text.includes(secret) ? { verdict: "block", message: "not this" } : { verdict: "pass" }),
};
const mask: Guardrail = { name: "g", check: ({ text }) => ({ verdict: "rewrite", text: text.replaceAll(secret, "####") }) };
const broken: Guardrail = {
  name: "g",
  check: () => {
    throw new Error(secret);
  },
};

/** Everything a caller can get hold of. */
async function everything(options: Parameters<typeof createAgent>[0]) {
  const events: RunEvent[] = [];
  const stream = createAgent({ ...options, tools: { find } }).stream("go");
  for await (const event of stream) events.push(event);
  const result = await stream.result;
  return {
    result,
    text: JSON.stringify([events, result, "error" in result ? `${result.error.message} ${JSON.stringify(result.error)}` : ""]),
  };
}

describe.each([
  ["blocks", block, "refused"],
  ["rewrites", mask, "completed"],
  ["breaks", broken, "refused"],
])("an output guardrail that %s", (_, guardrail, status) => {
  test("keeps the answer in, also its beginnings and its thoughts", async () => {
    const said = { text: `let me look for ${secret}`, reasoning: secret, calls: [{ name: "find", arguments: { q: "x" } }] };
    const model = scriptedModel([said, { deltas: ["it is ", secret], reasoning: secret }]);
    const { result, text } = await everything({ name: "a", model, guardrails: { output: [guardrail] } });
    expect(result.status).toBe(status);
    expect(text).not.toContain(secret);
    expect(result.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
  });

  test("and when the run stops before it could look", async () => {
    const model = scriptedModel([{ text: secret, calls: [{ name: "find", arguments: { q: "x" } }] }]);
    const { result, text } = await everything({ name: "a", model, guardrails: { output: [guardrail] }, policy: { limits: { turns: 1 } } });
    expect(result.status).toBe("partial");
    expect(text).not.toContain(secret);
  });
});

test("an answer that was asked for again is not shown in its first form, though the model sees it", async () => {
  const model = scriptedModel([secret, '{"ok":true}']);
  const { result, text } = await everything({ name: "a", model, output: z.object({ ok: z.boolean() }) });
  expect(result.status).toBe("completed");
  expect(text).not.toContain(secret);
  expect(JSON.stringify(model.requests[1])).toContain(secret);
});

test.each([
  ["blocks", block],
  ["rewrites", mask],
  ["breaks", broken],
])("a guardrail of arguments that %s keeps them out of the transcript", async (_, guardrail) => {
  const model = scriptedModel([{ calls: [{ name: "find", arguments: { q: secret } }] }, "done"]);
  const { result, text } = await everything({ name: "a", model, guardrails: { toolInput: [guardrail] } });
  expect(result.status).toBe("completed");
  expect(text).not.toContain(secret);
});

test.each([
  ["blocks", block],
  ["rewrites", mask],
  ["breaks", broken],
])("a guardrail of results that %s keeps them from the model and from everybody", async (_, guardrail) => {
  const leaky = tool({ description: "d", inputSchema: z.object({}), execute: () => secret });
  const model = scriptedModel([{ calls: [{ name: "leaky", arguments: {} }] }, "done"]);
  const result = await createAgent({ name: "a", model, tools: { leaky }, guardrails: { toolOutput: [guardrail] } }).run("go");
  expect(JSON.stringify([result, model.requests])).not.toContain(secret);
  expect(result.messages.find(({ role }) => role === "tool")?.content).toMatch(/was executed|####/);
});

test("a filter of one's own is asked before anything is shown, and cannot take the guardrails away", async () => {
  const model = scriptedModel([{ deltas: [secret] }]);
  const filtered = await everything({
    name: "a",
    model,
    stages: { outputFilter: () => Promise.resolve({ status: "done", value: "clean" }) },
  });
  expect(filtered.result).toMatchObject({ status: "completed", output: "clean" });
  expect(filtered.text).not.toContain(secret);
  const both = await everything({
    name: "a",
    model: scriptedModel(["x"]),
    guardrails: { output: [block] },
    stages: { outputFilter: () => Promise.resolve({ status: "done", value: secret }) },
  });
  expect(both.result.status).toBe("refused");
  const input = scriptedModel(["x"]);
  await createAgent({
    name: "a",
    model: input,
    guardrails: { input: [mask] },
    stages: { inputFilter: (_run, _line, said) => Promise.resolve({ status: "done", value: said }) },
  }).run(secret);
  expect(JSON.stringify(input.requests)).not.toContain(secret);
});
