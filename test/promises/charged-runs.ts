// Runs that cost something, each in a way of its own, and what their journals say they have cost.
import { AgentError, type AgentOptions, createAgent, fallback, type Store, tool } from "airworthy";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { z } from "zod";

export interface ChargedRun {
  readonly name: string;
  /** The agent over this store. `raises`: how often somebody has given more since the run first stopped. */
  readonly agentOn: (store: Store, raises: number) => ReturnType<typeof createAgent>;
  /** How it stands after each of its stops and at its end. */
  readonly ends: readonly string[];
}

export const user = { id: "ann", tenant: "acme" };

type Model = NonNullable<AgentOptions["model"]>;
const call = (name: string, argument: object = {}) => ({ name, arguments: argument });
/** By turn, so that it goes on rightly after a crash. */
const byTurn = (...replies: readonly ScriptedReply[]) =>
  scriptedModel(({ messages }) => replies[messages.filter(({ role }) => role === "assistant").length] ?? "no reply", { record: false });

const inputSchema = z.object({ n: z.number().optional() });
const paid = (cost: number) => tool({ description: "d", effect: "read", inputSchema, cost, execute: () => "done" });
const metered = tool({
  description: "d",
  effect: "read",
  inputSchema,
  cost: { atMost: 0.5, of: (said: { readonly spent: number }) => said.spent },
  execute: () => ({ spent: 0.125 }),
});
const flaky = tool({
  description: "d",
  effect: "read",
  inputSchema,
  cost: 0.01,
  execute: (_, { attempt }) => {
    if (attempt === 1) throw new Error("down");
    return "there";
  },
});

/** Three dollars in all, so that only those run out of money that are meant to. */
const plenty = { usd: 3, tokens: 1_000_000, calls: 1_000 };

function agentOf(store: Store, model: Model, tools: NonNullable<AgentOptions["tools"]> = {}, limit: object = plenty, name = "charged") {
  return createAgent({
    name,
    model,
    tools,
    store,
    clock: autoClock(),
    settings: { maxOutputTokens: 100 },
    prices: { scripted: { input: 100, output: 400 }, barred: { input: 1_000, output: 1 }, spare: { input: 10, output: 40 } },
    resilience: { retry: { attempts: 4, baseMs: 1 } },
    policy: { budget: { user: limit, minOutputTokens: 20 } },
  });
}

const failing =
  (...failures: readonly Error[]): ScriptedReply =>
  (_, { attempt }) =>
    failures[attempt - 1] ?? "At last.";
const busy = new AgentError("provider_unavailable", "Busy.", { details: { status: 503 } });
const lost = () => new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });

const costly = (raises: number) => ({ ...plenty, usd: [0.25, 0.4, 9][raises] ?? 9 });

export const chargedRuns: readonly ChargedRun[] = [
  { name: "a plain answer", ends: ["completed"], agentOn: (store) => agentOf(store, byTurn("Hello.")) },
  {
    name: "an answer of unknown usage",
    ends: ["completed"],
    agentOn: (store) => agentOf(store, byTurn({ text: "Hello.", usage: null })),
  },
  {
    name: "tools that cost",
    ends: ["completed"],
    agentOn: (store) =>
      agentOf(store, byTurn({ calls: [call("paid")] }, { calls: [call("metered")] }, "Done."), { paid: paid(0.06), metered }),
  },
  {
    name: "calls side by side",
    ends: ["completed"],
    agentOn: (store) =>
      agentOf(store, byTurn({ calls: [1, 2, 3].map((n) => call("paid", { n })).concat(call("metered"), call("flaky")) }, "Done."), {
        paid: paid(0.06),
        metered,
        flaky,
      }),
  },
  {
    name: "attempts that fail, free and not",
    ends: ["completed"],
    agentOn: (store) => agentOf(store, byTurn(failing(busy, lost(), busy), failing(lost())), { flaky }),
  },
  {
    name: "a failure for good, and another model",
    ends: ["completed"],
    agentOn: (store) => {
      const barred = scriptedModel(() => new AgentError("authentication_failed", "No.", { details: { status: 401 } }), { id: "barred" });
      const spare = scriptedModel((_, { attempt }) => (attempt === 1 ? lost() : "From the spare."), { id: "spare" });
      return agentOf(store, fallback([barred, spare]));
    },
  },
  {
    name: "more used than was set aside",
    ends: ["completed"],
    agentOn: (store) => {
      const usage = { inputTokens: 900, outputTokens: 300 };
      return agentOf(store, byTurn({ calls: [call("paid")], usage }, { text: "Done.", usage }), { paid: paid(0.02) });
    },
  },
  {
    name: "a run within a run",
    ends: ["completed"],
    agentOn: (store) => {
      const expert = agentOf(store, byTurn({ calls: [call("paid")] }, "Found."), { paid: paid(0.03) }, plenty, "expert");
      const asked = expert.asTool({ description: "Knows." });
      const ask = (task: string) => call("expert", { task });
      return agentOf(store, byTurn({ calls: [ask("one"), ask("two")] }, { calls: [ask("three")] }, "Done."), { expert: asked });
    },
  },
  {
    name: "out of money between calls, and raised",
    ends: ["partial", "partial", "completed"],
    agentOn: (store, raises) =>
      agentOf(
        store,
        byTurn({ calls: [1, 2, 3].map((n) => call("paid", { n })) }, { calls: [call("paid", { n: 4 })] }, "Done."),
        { paid: paid(0.11) },
        costly(raises),
      ),
  },
  {
    name: "refused at the start, and raised",
    ends: ["refused", "completed"],
    agentOn: (store, raises) => agentOf(store, byTurn("Hello."), {}, { ...plenty, calls: raises === 0 ? 0 : 9 }),
  },
  {
    name: "an act in doubt that costs",
    ends: ["suspended", "completed"],
    agentOn: (store, raises) => {
      const mail = tool({
        description: "d",
        effect: "send",
        inputSchema,
        cost: 0.07,
        execute: () => Promise.reject(lost()),
        reconcile: () => (raises === 0 ? { status: "unknown" } : { status: "done", output: "sent after all" }),
      });
      return agentOf(store, byTurn({ calls: [call("mail")] }, "Done."), { mail });
    },
  },
];
