// Runs of every kind the foundation knows, each made afresh by a function: the promises are checked on all of them.
import { AgentError, type AgentOptions, fallback, type ResumeOptions, route, tool } from "airworthy";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { z } from "zod";

/** What the tools of a scenario really did: one line per performed attempt, with its idempotency key where it is an act. */
export interface World {
  readonly acts: string[];
  modelCalls: number;
}

export interface Scenario {
  readonly name: string;
  readonly input: string;
  readonly ends: string;
  /** The agent's options over this world; the model's script goes on from the number of turns the journal has already. */
  readonly options: (world: World) => AgentOptions;
  readonly resume?: ResumeOptions;
}

/** A model that replies by the turn the conversation is in, so that it goes on rightly after a crash. */
function turnModel(world: World, replies: readonly ScriptedReply[]) {
  return scriptedModel((request) => {
    world.modelCalls += 1;
    const turn = request.messages.filter(({ role }) => role === "assistant").length;
    return replies[turn] ?? `no reply for turn ${turn + 1}`;
  });
}

export const newWorld = (): World => ({ acts: [], modelCalls: 0 });

const id = z.object({ id: z.string() });

const toolsOf = (world: World) => ({
  find: tool({
    description: "Finds an order.",
    inputSchema: id,
    effect: "read",
    execute: (order) => {
      world.acts.push(`find ${order.id}`);
      return { ...order, state: "late" };
    },
  }),
  flaky: tool({
    description: "Works the second time.",
    inputSchema: id,
    effect: "read",
    execute: (order, { attempt }) => {
      world.acts.push(`flaky ${order.id}`);
      if (attempt === 1) throw new Error("secret reason");
      return "there";
    },
  }),
  refund: tool({
    description: "Pays money back.",
    inputSchema: id,
    effect: "pay",
    repeat: "with-same-key",
    execute: (order, { idempotencyKey }) => {
      world.acts.push(`refund ${order.id} ${idempotencyKey}`);
      return "refunded";
    },
  }),
  mail: tool({
    description: "Sends a mail.",
    inputSchema: id,
    effect: "send",
    execute: (order, { idempotencyKey }) => {
      world.acts.push(`mail ${order.id} ${idempotencyKey}`);
      return "sent";
    },
  }),
  broken: tool({
    description: "Never works; somebody else does.",
    inputSchema: id,
    effect: "write",
    fallback: (order) => `queued ${order.id}`,
    execute: () => {
      throw new Error("The warehouse is closed.");
    },
  }),
});

// Every call has the same id: providers repeat them, and nothing may depend on it.
const call = (name: string, argument: object | string = { id: "1" }) => ({ name, arguments: argument, callId: "call" });

export const scenarios: readonly Scenario[] = [
  { name: "answer", input: "hi", ends: "completed", options: (world) => base(world, ["Hello."]) },
  {
    name: "tools one after the other",
    input: "refund order 1",
    ends: "completed",
    options: (world) => base(world, [{ calls: [call("find")] }, { calls: [call("refund")] }, { calls: [call("mail")] }, "Done."]),
  },
  {
    name: "parallel tools, one unknown, one invalid, one flaky",
    input: "do it all",
    ends: "completed",
    options: (world) =>
      base(world, [
        { text: "One moment.", calls: [call("find"), call("nope"), call("mail", "{"), call("flaky"), call("refund"), call("refund")] },
        "Done.",
      ]),
  },
  {
    name: "fallback",
    input: "ship it",
    ends: "completed",
    options: (world) => base(world, [{ calls: [call("broken")] }, "Queued."]),
  },
  {
    name: "guardrails and a re-ask",
    input: "say\u200B it",
    ends: "completed",
    options: (world) => ({
      ...base(world, [{ calls: [call("find")] }, "no json", '{"ok":true}']),
      output: z.object({ ok: z.boolean() }),
      guardrails: { input: [{ name: "shout", check: ({ text }) => ({ verdict: "rewrite", text: text.toUpperCase() }) }] },
    }),
  },
  {
    name: "stopped at the turn limit",
    input: "loop",
    ends: "partial",
    options: (world) => ({
      ...base(world, [
        { calls: [call("find", { id: "1" })] },
        { calls: [call("mail", { id: "2" })] },
        { calls: [call("find", { id: "3" })] },
        "Done.",
      ]),
      policy: { limits: { turns: 2 } },
    }),
    resume: { limits: { turns: 9 } },
  },
  {
    name: "refused by a guardrail",
    input: "hi",
    ends: "refused",
    options: (world) => ({
      ...base(world, ["A secret."]),
      guardrails: { output: [{ name: "no-secrets", check: () => ({ verdict: "block", message: "A secret." }) }] },
    }),
  },
  {
    name: "failed at the model",
    input: "hi",
    ends: "failed",
    options: (world) => base(world, [{ calls: [call("find")] }, new TypeError("down")]),
  },
  {
    name: "models in place of others, by tier",
    input: "refund order 1",
    ends: "completed",
    options: (world) => {
      const options = base(world, []);
      const good = turnModel(world, [{ calls: [call("refund")] }, { calls: [call("mail")] }, "Done."]);
      const barred = scriptedModel(() => new AgentError("authentication_failed", "No."), { id: "barred" });
      const model = route({
        tiers: { careful: fallback([barred, good]), quick: good },
        choose: ({ turn }) => (turn === 2 ? "quick" : "careful"),
      });
      return { ...options, model };
    },
  },
];

function base(world: World, replies: readonly ScriptedReply[]): AgentOptions {
  return {
    name: "promises",
    version: "1",
    instructions: "Be brief.",
    model: turnModel(world, replies),
    tools: toolsOf(world),
    clock: autoClock(),
  };
}
