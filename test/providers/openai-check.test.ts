// What OpenAI takes in no way is found by `check`, before a run, and named.
import { describe, expect, test } from "vitest";
import { AgentError } from "../../src/core/errors.ts";
import type { ModelOffer } from "../../src/core/model.ts";
import { openai } from "../../src/providers/openai/openai.ts";
import { apis, type OpenAIApi } from "./exchange.ts";

const good = { type: "object", properties: { id: { type: "string" } }, required: ["id"] };
const findOrder = { name: "findOrder", description: "Finds an order.", inputSchema: good };

function refusalOf(api: OpenAIApi, offer: Partial<ModelOffer>): AgentError | undefined {
  try {
    openai("gpt-test", { apiKey: "k", api }).check?.({ tools: [], settings: {}, ...offer });
    return undefined;
  } catch (thrown) {
    if (AgentError.is(thrown)) return thrown;
    throw thrown;
  }
}

describe.for(apis)("check (%s)", (api) => {
  test("takes what the API takes", () => {
    const settings = {
      maxOutputTokens: 100,
      temperature: 0,
      topP: 1,
      reasoningEffort: "max",
      toolChoice: "auto",
      parallelToolCalls: true,
    } as const;
    expect(refusalOf(api, { tools: [findOrder], settings, output: { name: "answer", schema: good } })).toBeUndefined();
  });

  test.for([
    { schema: {}, what: /not of type "object"/ },
    { schema: { type: "array", items: {} }, what: /not of type "object"/ },
    { schema: { anyOf: [good, good] }, what: /not of type "object"/ },
    { schema: { ...good, oneOf: [good] }, what: /"oneOf" at its top/ },
  ])("names the tool, or the output, whose schema it cannot take: $schema", ({ schema, what }) => {
    const tool = refusalOf(api, { tools: [findOrder, { ...findOrder, name: "pay", inputSchema: schema }] });
    expect(tool).toMatchObject({ code: "configuration_invalid", message: expect.stringContaining('The tool "pay"') });
    expect(tool?.message).toMatch(what);
    const output = refusalOf(api, { output: { name: "answer", schema } });
    expect(output).toMatchObject({ code: "configuration_invalid", message: expect.stringContaining("The output") });
    expect(output?.hint).toContain("propert");
  });

  test.for(["find order", "größe", "x".repeat(65)])("names a tool whose name it cannot send: %s", (name) => {
    expect(refusalOf(api, { tools: [{ ...findOrder, name }] })?.message).toContain(JSON.stringify(name));
  });
});

describe("settings", () => {
  const missing = [{ seed: 7 }, { stop: ["END"] }] as const;
  test.for(missing)("that Responses do not have are refused, with the way out: %j", (settings) => {
    expect(refusalOf("chat", { settings })).toBeUndefined();
    const refusal = refusalOf("responses", { settings });
    expect(refusal).toMatchObject({ code: "configuration_invalid", hint: expect.stringContaining('api: "chat"') });
    expect(refusal?.message).toContain(Object.keys(settings)[0]);
    expect(() => openai("gpt-test", { apiKey: "k", api: "responses", settings })).toThrow(/seed|stop/);
  });

  test("of the model are there for the runtime, as a copy", () => {
    const settings = { temperature: 0 };
    const model = openai("gpt-test", { apiKey: "k", settings });
    settings.temperature = 1;
    expect(model.settings).toEqual({ temperature: 0 });
    expect(openai("gpt-test", { apiKey: "k" })).not.toHaveProperty("settings");
  });
});
