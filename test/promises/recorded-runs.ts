// Runs that came to every kind of end, some of them by way of a resume, and the same agents with nothing left that may be touched.
import {
  type Agent,
  AgentError,
  type AgentOptions,
  createAgent,
  fallback,
  type Guardrail,
  type Model,
  type ModelChoice,
  memoryStore,
  type RunInput,
  type RunOptions,
  type RunResult,
  route,
  type Store,
  type Tool,
  tool,
} from "airworthy";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { z } from "zod";
import { newWorld, overLimit, scenarios, type World, wrappedUp } from "./scenarios.ts";

export interface RecordedRun {
  readonly name: string;
  readonly ends: string;
  readonly options: (world: World, stop: AbortController) => AgentOptions;
  /** Plays it to its last end. */
  readonly play: (agent: Agent<unknown>, start: Start, stop: AbortController) => Promise<RunResult<unknown>>;
}

/** Starts a run `r`, streamed or not. */
type Start = (agent: Agent<unknown>, input: RunInput, options?: RunOptions) => Promise<RunResult<unknown>>;

const plain: Start = (agent, input, options) => agent.run(input, { runId: "r", ...options });
const streamed: Start = async (agent, input, options) => {
  const stream = agent.stream(input, { runId: "r", ...options });
  for await (const _ of stream) void _;
  return stream.result;
};

/** The run in a store of its own, what it came to, and its lines. */
export async function record(run: RecordedRun, how: "plain" | "streamed") {
  const store = memoryStore();
  const stop = new AbortController();
  const agent = createAgent({ ...run.options(newWorld(), stop), store });
  const result = await run.play(agent, how === "plain" ? plain : streamed, stop);
  return { store, result, lines: (await store.journal.load("r")) ?? [] };
}

const empty = z.object({});
const call = (name: string, argument: object = {}) => ({ name, arguments: argument, callId: "call" });
const act = (effect: "read" | "send", execute: () => unknown): Tool => tool({ description: "d", effect, inputSchema: empty, execute });

const base = (replies: readonly ScriptedReply[], tools: Record<string, Tool>): AgentOptions => ({
  name: "promises",
  version: "1",
  instructions: () => "Be brief.",
  model: scriptedModel(replies),
  tools,
  clock: autoClock(),
});

const look = () => act("read", () => "seen");
const lost = () => Promise.reject(Object.assign(new Error("x"), { code: "ECONNRESET" }));

const endings: readonly RecordedRun[] = [
  {
    name: "cancelled beside a call that is done",
    ends: "cancelled",
    options: (_, stop) =>
      base([{ text: "One moment.", calls: [call("look"), call("hang")] }], {
        look: look(),
        hang: act("read", () => {
          stop.abort();
          return new Promise(() => {});
        }),
      }),
    play: (agent, start, { signal }) => start(agent, "go", { signal }),
  },
  {
    name: "suspended with an act in doubt",
    ends: "suspended",
    options: () => base([{ calls: [call("look"), call("mail")] }], { look: look(), mail: act("send", lost) }),
    play: (agent, start) => start(agent, "go"),
  },
  {
    name: "escalated by a guardrail of calls",
    ends: "escalated",
    options: () => ({
      ...base([{ calls: [call("look")] }], { look: look() }),
      guardrails: { toolInput: [{ name: "ask", check: () => ({ verdict: "escalate", message: "A person has to see this." }) }] },
    }),
    play: (agent, start) => start(agent, "go"),
  },
  {
    name: "out of time",
    ends: "partial",
    options: () => {
      const clock = autoClock();
      const slow = act("read", () => {
        void clock.advance(60_000);
        return new Promise(() => {});
      });
      return { ...base([{ text: "One moment.", calls: [call("look"), call("slow")] }], { look: look(), slow }), clock };
    },
    play: (agent, start) => start(agent, "go"),
  },
  {
    name: "stopped at a limit and resumed under a lower one",
    ends: "partial",
    options: () => ({
      ...base([{ calls: [call("look")] }, { calls: [call("look", { again: 1 })] }, "Done."], { look: look() }),
      policy: { limits: { turns: 2 } },
    }),
    play: async (agent, start) => {
      await start(agent, "go");
      return agent.resume("r", { limits: { turns: 1 } });
    },
  },
  {
    name: "stopped at a limit, resumed and completed",
    ends: "completed",
    options: () => ({
      ...base([{ calls: [call("look")] }, { calls: [call("look", { again: 1 })] }, "Done."], { look: look() }),
      policy: { limits: { turns: 1 } },
    }),
    play: async (agent, start) => {
      await start(agent, "go");
      return agent.resume("r", { limits: { turns: 5 } });
    },
  },
  {
    name: "no model up, then the second, then the first",
    ends: "completed",
    options: () => {
      let passes = 0;
      const down = () => new AgentError("authentication_failed", "No.");
      const first = scriptedModel(() => (passes < 2 ? down() : "Done."), { id: "first" });
      const second = scriptedModel(() => ((passes += 1), down()), { id: "second" });
      return { ...base([], {}), model: fallback([first, second]) };
    },
    play: async (agent, start) => {
      await start(agent, "go");
      return agent.resume("r");
    },
  },
];

/** All of them: the scenarios, too. */
export const recordedRuns: readonly RecordedRun[] = [
  ...[...scenarios, wrappedUp, overLimit].map(
    ({ name, ends, input, options }): RecordedRun => ({ name, ends, options, play: (agent, start) => start(agent, input) }),
  ),
  ...endings,
];

/** The same agent, in which everything outside the line counts that it was touched, and throws. */
export function untouchable(options: AgentOptions, lines: readonly string[]) {
  const touched: string[] = [];
  const touch = (what: string) => (): never => {
    touched.push(what);
    throw new Error(`touched: ${what}`);
  };
  const deadTool = (one: Tool): Tool => ({
    ...one,
    execute: touch("tool"),
    reconcile: touch("reconcile"),
    fallback: one.fallback && deadTool(one.fallback),
  });
  const { guardrails = {}, tools = {}, instructions } = options;
  const store: Store = {
    journal: {
      load: () => Promise.resolve(lines),
      create: touch("create"),
      claim: touch("claim"),
      append: touch("append"),
    },
    counters: {
      reserve: touch("reserve"),
      settle: touch("settle"),
      read: touch("read"),
      open: touch("open"),
      forget: touch("forget"),
    },
  };
  const dead: AgentOptions = {
    ...options,
    model: deadChoice(options.model, touch),
    tools: Object.fromEntries(Object.entries(tools).map(([name, one]) => [name, deadTool(one)])),
    guardrails: Object.fromEntries(
      Object.entries(guardrails).map(([point, list]) => [point, list.map((one: Guardrail) => ({ ...one, check: touch("guardrail") }))]),
    ),
    ...(typeof instructions === "function" ? { instructions: touch("instructions") } : {}),
    use: [{ stage: touch("stage middleware"), model: touch("model middleware"), tool: touch("tool middleware") }],
    clock: { now: touch("clock"), after: touch("clock") },
    store,
  };
  return { agent: createAgent(dead), touched };
}

function deadChoice(choice: ModelChoice, touch: (what: string) => () => never): ModelChoice {
  const dead = (model: Model): Model => ({ id: model.id, provider: model.provider, call: touch("model") });
  if ("call" in choice) return dead(choice);
  if ("models" in choice) return fallback(choice.models.map(dead));
  const tiers = Object.entries(choice.tiers).map(([tier, models]) => [
    tier,
    "call" in models ? dead(models) : fallback(models.models.map(dead)),
  ]);
  return route({ tiers: Object.fromEntries(tiers), choose: touch("choose") });
}
