// What the four services have in common: an agent, and who may ask it. None of it knows by which framework it is served.
import { createAgent, type Principal, tool } from "airworthy";
import { openai } from "airworthy/openai";
import { type SimulatedReply, type SimulatedRequest, simulatedProvider } from "airworthy/testing";
import { z } from "zod";

// Yours would be the sessions, keys or signed tokens you have already.
const users: ReadonlyMap<string, Principal> = new Map([
  ["token-of-ann", { id: "ann", roles: ["customer"] }],
  ["token-of-bob", { id: "bob", roles: ["customer"] }],
]);

/** Says who is asking; null for nobody we know. */
export function principal({ headers }: Request): Principal | null {
  const token = /^Bearer (\S+)$/.exec(headers.get("authorization") ?? "")?.[1];
  return users.get(token ?? "") ?? null;
}

/** The agent, and the simulated provider it asks in place of OpenAI. */
export async function openDesk() {
  const provider = await simulatedProvider({ rules: reply });
  const findOrder = tool({
    description: "Looks up an order by its number.",
    inputSchema: z.object({ id: z.string() }),
    effect: "read",
    execute: ({ id }) => ({ id, arrives: "Monday" }),
  });
  const model = openai("gpt-5-mini", { apiKey: "none", baseURL: provider.baseURL });
  return { agent: createAgent({ name: "desk", model, tools: { findOrder } }), close: () => provider.close() };
}

/** Looks the order up, then takes its time over the answer. */
function reply({ conversation }: SimulatedRequest): SimulatedReply {
  if (conversation.at(-1)?.role !== "tool") return { calls: [{ name: "findOrder", arguments: { id: "4711" } }] };
  return { fault: "slow-tokens", delayMs: 20, text: "Your order is on its way to you. It arrives on Monday.", chunkSize: 3 };
}
