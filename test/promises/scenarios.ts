// Runs of every kind the foundation knows, each made afresh by a function: the promises are checked on all of them.
import { AgentError, type AgentOptions, fallback, type Guardrail, type ResumeOptions, type RunInput, route, tool } from "airworthy";
import { autoClock, type ScriptedFunction, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { z } from "zod";
import { newWorld, toolsOf, type World } from "./scenario-tools.ts";

export { newWorld, type World };

export interface Scenario {
  readonly name: string;
  readonly input: RunInput;
  readonly ends: string;
  /** The agent's options over this world; the model's script goes on from the number of turns the journal has already. */
  readonly options: (world: World) => AgentOptions;
  /** It is watched while it happens; what it comes to depends on that. */
  readonly streamed?: true;
  /** With what a run that stopped is gone on with until it ends. */
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

// Every call has the same id: providers repeat them, and nothing may depend on it.
const call = (name: string, argument: object | string = { id: "1" }) => ({ name, arguments: argument, callId: "call" });

/** Says so much, and breaks off; the second attempt says it all. */
const breaksOff =
  (half: string, whole: string): ScriptedFunction =>
  (_, { attempt, onText }) => {
    if (attempt > 1) return whole;
    onText?.(half);
    throw new AgentError("provider_unavailable", "It broke off.");
  };

const pass: Guardrail = { name: "pass", check: () => ({ verdict: "pass" }) };
const rewriting = (name: string, from: RegExp, to: string): Guardrail => ({
  name,
  check: ({ text }) => ({ verdict: "rewrite", text: text.replaceAll(from, to), findings: [{ kind: name }] }),
});

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
  {
    name: "a model and a tool that work the second time",
    input: "try",
    ends: "completed",
    options: (world) =>
      base(world, [{ calls: [call("flaky")] }, (_, { attempt }) => (attempt === 1 ? new TypeError("fetch failed") : "Done.")]),
  },
  {
    name: "two equal calls, side by side and once more",
    input: "twice",
    ends: "completed",
    options: (world) =>
      base(world, [{ calls: [call("mail"), call("mail"), call("refund"), call("refund")] }, { calls: [call("mail")] }, "Done."]),
  },
  {
    name: "many turns",
    input: "and on",
    ends: "completed",
    options: (world) =>
      base(world, [
        ...Array.from({ length: 9 }, (_, turn) => ({ calls: [call(turn % 3 === 2 ? "refund" : "find", { id: `${turn}` })] })),
        { calls: [call("mail")] },
        "Done.",
      ]),
  },
  {
    name: "big values",
    input: "all of it ".repeat(5_000),
    ends: "completed",
    options: (world) => base(world, [{ calls: [call("archive"), call("archive", { id: "x".repeat(20_000) })] }, "word ".repeat(20_000)]),
  },
  {
    name: "every kind of text",
    input: "\u0000 \ud83d half a pair, \u202e turned, e\u0301 composed, 👩‍🚀 joined, \u2028 and a line",
    ends: "completed",
    options: (world) => base(world, [{ text: "\udc00 ß", calls: [call("find", { id: "ключ \u0000 🔑" })] }, "Ünïcödé \ud800."]),
  },
  {
    name: "a conversation given",
    input: [
      { role: "user", content: "Where is order 1?" },
      { role: "assistant", content: [{ type: "tool-call", callId: "old", name: "find", arguments: '{"id":"1"}' }] },
      { role: "tool", callId: "old", name: "find", content: "late" },
      { role: "assistant", content: [{ type: "text", text: "It is late." }] },
      { role: "user", content: "Then pay it back." },
    ],
    ends: "completed",
    options: (world) => base(world, ["unused", "unused", { calls: [call("refund")] }, { calls: [call("mail")] }, "Done."]),
  },
  {
    name: "guardrails at every point",
    input: "order one",
    ends: "completed",
    options: (world) => ({
      ...base(world, [{ calls: [call("find", { id: "one" }), call("mail", { id: "bad" })] }, { calls: [call("refund")] }, "A rude word."]),
      guardrails: {
        input: [rewriting("input", /one/g, "1"), pass],
        toolInput: [
          rewriting("input of a tool", /one/g, "1"),
          { name: "no bad ones", check: ({ text }) => (text.includes("bad") ? { verdict: "block", message: "no" } : { verdict: "pass" }) },
        ],
        toolOutput: [rewriting("output of a tool", /late/g, "on its way")],
        output: [{ name: "watch", check: () => ({ verdict: "flag", findings: [{ kind: "tone" }] }) }, rewriting("output", /rude /g, "")],
      },
    }),
  },
  {
    name: "escalated by a guardrail while others act",
    input: "hi",
    ends: "escalated",
    options: (world) => ({
      ...base(world, [{ calls: [call("find"), call("refund"), call("mail")] }, "never"]),
      guardrails: {
        toolOutput: [{ name: "boss", check: (subject) => ({ verdict: subject.tool === "find" ? "escalate" : "pass", message: "ask" }) }],
      },
    }),
  },
  {
    name: "an answer that breaks off before anybody saw of it",
    input: "hi",
    ends: "completed",
    options: (world) => ({
      ...base(world, [{ calls: [call("find")] }, breaksOff("Half", "Half and whole.")]),
      guardrails: { output: [pass] },
    }),
  },
  {
    name: "stopped at the limit of calls",
    input: "loop",
    ends: "partial",
    options: (world) => ({
      ...base(world, [{ calls: [call("find"), call("mail")] }, { calls: [call("refund"), call("refund")] }, "Done."]),
      policy: { limits: { toolCalls: 3 } },
    }),
    resume: { limits: { toolCalls: 9 } },
  },
  {
    name: "stopped at the deadline",
    input: "wait",
    ends: "partial",
    options: (world) => {
      const options = base(world, [{ calls: [call("find"), call("slow")] }, { calls: [call("mail")] }, "Done."]);
      const { clock } = options;
      const slow = tool({
        description: "Takes its time.",
        inputSchema: z.object({ id: z.string() }),
        effect: "read",
        execute: (_, { signal }) =>
          new Promise((resolve, reject) => {
            signal.addEventListener("abort", () => reject(new Error("It was told to stop.")));
            void clock.advance(12_000).then(() => resolve("at last"));
          }),
      });
      return { ...options, tools: { ...options.tools, slow }, policy: { timeouts: { totalMs: 10_000 } } };
    },
    resume: { timeouts: { totalMs: 60_000 } },
  },
  {
    name: "suspended in doubt, and looked up later",
    input: "send it",
    ends: "suspended",
    options: (world) => base(world, [{ calls: [call("parcel"), call("refund")] }, { calls: [call("mail")] }, "Done."]),
    resume: {},
  },
];

/** Not among the others: run without being watched it is tried again. */
export const brokenOff: Scenario = {
  name: "an answer that breaks off after somebody saw of it",
  input: "hi",
  ends: "failed",
  streamed: true,
  options: (world) => base(world, [{ calls: [call("find"), call("refund")] }, breaksOff("Half", "Half and whole.")]),
  resume: {},
};

/** Not among the others: with more money from the start there would be no such answer, and so nothing to compare it with. */
export const wrappedUp: Scenario = {
  name: "wrapped up when the money runs out",
  input: "go on until it is gone",
  ends: "partial",
  options: (world) => ({
    ...base(world, [{ calls: [call("find")] }, { calls: [call("mail")] }, "Done."]),
    prices: { scripted: { input: 1, output: 1 } },
    policy: { budget: { run: { calls: 3, usd: 1 } } },
  }),
};

/** Not among the others: these cut journals, and what limits count is not in there. */
export const overLimit: Scenario = {
  name: "an act over its limit",
  input: "mail twice",
  ends: "completed",
  options: (world) => ({
    ...base(world, [{ calls: [call("mail", { id: "1" })] }, { calls: [call("mail", { id: "2" })] }, "One mail is sent."]),
    policy: { limits: { effects: { mail: { run: 1 } } } },
  }),
};

function base(world: World, replies: readonly ScriptedReply[]) {
  return {
    name: "promises",
    version: "1",
    instructions: "Be brief.",
    model: turnModel(world, replies),
    tools: toolsOf(world),
    clock: autoClock(),
  };
}
