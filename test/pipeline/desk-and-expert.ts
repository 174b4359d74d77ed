// Two agents for tests: a desk that asks an expert once, by a call of a tool, and then answers.
import { type Agent, type AgentOptions, createAgent, type Entry, memoryStore } from "airworthy";
import { autoClock } from "airworthy/testing";
import { byTurn, call } from "../promises/tree-world.ts";

/** The run of the expert when that of the desk is `r`. */
export const inner = "r>turn-1/tool/0";

interface Pair {
  readonly child?: Partial<AgentOptions>;
  readonly parent?: Partial<AgentOptions>;
  readonly as?: Parameters<Agent["asTool"]>[0];
}

export function pair({ child = {}, parent = {}, as = { description: "d" } }: Pair) {
  const store = memoryStore();
  const clock = autoClock();
  const expert = createAgent({ name: "expert", store, clock, model: byTurn("It is late."), ...child });
  const model = byTurn({ calls: [call("expert")] }, "Bye.");
  const desk = createAgent({ name: "desk", store, clock, model, tools: { expert: expert.asTool(as) }, ...parent });
  return { store, expert, desk };
}

export const toldBy = ({ messages }: { readonly messages: readonly { readonly role: string; readonly content: unknown }[] }) =>
  messages.filter(({ role }) => role === "tool").map(({ content }) => String(content));
export const typesOf = (entries: readonly Entry[]) => entries.map(({ type }) => type);
