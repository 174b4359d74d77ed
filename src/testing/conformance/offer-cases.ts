// What an adapter has to send of tools, settings and the shape of the answer. Invariant: what an API does not have is refused, by `check` or
// by the call before anything is sent; it never goes missing in silence.
import { deepEqual, equal, ok } from "node:assert/strict";
import { AgentError } from "../../core/errors.ts";
import type { JsonSchema } from "../../core/json.ts";
import type { ModelOffer, ModelSettings } from "../../core/model.ts";
import type { SimulatedBody } from "../simulated-provider/request.ts";
import { type AdapterFor, type ConformanceCase, call, conformanceTool, question, withAdapter } from "./one-call.ts";
import { sentTools } from "./sent-request.ts";

const objectOf = (name: string, description: string): JsonSchema => ({
  type: "object",
  properties: { [name]: { type: "string", description } },
  required: [name],
  additionalProperties: false,
});
const tools = [
  { name: conformanceTool, description: "Looks an order up.", inputSchema: objectOf("id", "The number of the order.") },
  { name: "sendMail", description: "Writes to the customer.", inputSchema: objectOf("body", "What to write.") },
];

/** Values of each setting that mean different things, so no two of them may go out alike. */
const settings: readonly { readonly name: keyof ModelSettings; readonly values: readonly ModelSettings[] }[] = [
  { name: "maxOutputTokens", values: [{ maxOutputTokens: 1_000 }, { maxOutputTokens: 2_000 }] },
  { name: "temperature", values: [{ temperature: 0 }, { temperature: 0.5 }] },
  { name: "topP", values: [{ topP: 0.5 }, { topP: 0.9 }] },
  { name: "seed", values: [{ seed: 0 }, { seed: 7 }] },
  { name: "stop", values: [{ stop: ["END"] }, { stop: ["END", "OVER"] }] },
  { name: "reasoningEffort", values: [{ reasoningEffort: "low" }, { reasoningEffort: "high" }] },
  { name: "toolChoice", values: [{ toolChoice: "auto" }, { toolChoice: "none" }, { toolChoice: "required" }] },
  { name: "parallelToolCalls", values: [{ parallelToolCalls: true }, { parallelToolCalls: false }] },
];

export function offerCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  const sent = (offer: ModelOffer) => bodyFor(adapterFor, offer);
  return [
    {
      name: "sends every tool with its description and its schema",
      run: async () => {
        const told = sentTools((await sent({ tools, settings: {} })) ?? {});
        deepEqual(
          told.map(({ name, description }) => [name, description]),
          tools.map(({ name, description }) => [name, description]),
        );
        for (const [position, { inputSchema }] of tools.entries()) holdsAll(told[position]?.schema, inputSchema);
      },
    },
    ...settings.map(({ name, values }) => ({
      name: `sends the setting ${name}, or refuses it`,
      run: async () => {
        const bodies = [];
        for (const one of values) bodies.push(await sent({ tools, settings: one }));
        const taken = bodies.filter((body) => body !== undefined).map((body) => JSON.stringify(body));
        equal(new Set(taken).size, taken.length, `${name} makes a difference`);
      },
    })),
    {
      name: "sends the schema of output, or refuses it",
      run: async () => {
        const schema = objectOf("verdict", "What has been decided.");
        const body = await sent({ tools: [], settings: {}, output: { name: "answer", schema } });
        if (body) holdsAll(body, schema);
      },
    },
    {
      name: "takes an offer without tools or settings",
      run: async () => ok(await sent({ tools: [], settings: {} })),
    },
  ];
}

/** What is sent for an offer; undefined when it is refused before anything is sent. */
function bodyFor(adapterFor: AdapterFor, offer: ModelOffer): Promise<SimulatedBody | undefined> {
  return withAdapter(adapterFor, { scenario: [{ text: "Done." }] }, async (model, provider) => {
    try {
      model.check?.(offer);
      await call(model, { ...question, ...offer }, {});
    } catch (thrown) {
      if (provider.count > 0 || !AgentError.is(thrown)) throw thrown;
    }
    return provider.requests[0]?.body;
  });
}

/** Whether names and descriptions of the properties are there; in which words they are is up to the API. */
function holdsAll(sent: unknown, { properties }: JsonSchema) {
  const text = JSON.stringify(sent) ?? "";
  for (const [name, property] of Object.entries(Object(properties))) {
    ok(text.includes(JSON.stringify(name)), `the property ${name} is sent`);
    ok(text.includes(String(Object(property).description)), `the description of ${name} is sent`);
  }
}
