// The quickstart of README.md: an agent with one tool. It needs no key, because a simulated provider answers in place of OpenAI.
import assert from "node:assert/strict";
import { createAgent, tool } from "airworthy";
import { openai } from "airworthy/openai";
import { simulatedProvider } from "airworthy/testing";
import { z } from "zod";

const call = { name: "findOrder", arguments: { id: "4711" } };
const provider = await simulatedProvider({ scenario: [{ fault: "rate-limit" }, { calls: [call] }, { text: "It arrives on Monday." }] });

const findOrder = tool({
  description: "Looks up an order by its number.",
  inputSchema: z.object({ id: z.string() }),
  effect: "read", // It changes nothing, so it may be tried again when it fails.
  execute: ({ id }) => ({ id, arrives: "Monday" }), // A function you have already.
});
const model = openai("gpt-5-mini", { apiKey: "none", baseURL: provider.baseURL }); // Your key and no baseURL: the real one.
const agent = createAgent({ name: "support", model, instructions: "You help the customers of a shop.", tools: { findOrder } });

const result = await agent.run("Where is order 4711?");
if (result.status === "completed") console.log(result.output);
else if (result.status === "suspended") console.log("A person has to look at", result.waitingFor);
else throw result.error; // partial, refused, escalated, cancelled, halted or failed; nothing is thrown by run() itself.

assert.equal(result.status, "completed");
assert.equal(provider.count, 3); // The request that was turned away with 429 was made again.
await provider.close();
