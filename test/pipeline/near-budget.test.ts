// What happens when a budget runs out: it is said in time, a cheaper model steps in, calls are spaced, and a last answer says what is missing.
import { AgentError, type AgentOptions, createAgent, type Model, memoryStore, modelRequests, type RunEvent, tool } from "airworthy";
import { anthropic } from "airworthy/anthropic";
import { openai } from "airworthy/openai";
import { autoClock, scriptedModel, simulatedProvider } from "airworthy/testing";
import { describe, expect, test } from "vitest";

const look = tool({ description: "Looks.", inputSchema: { type: "object" }, effect: "read", execute: () => "seen" });
const dear = tool({ description: "Costs.", inputSchema: { type: "object" }, effect: "read", cost: 0.4, execute: () => "paid" });
const call = (name: string) => ({ calls: [{ name, arguments: {} }], usage: { inputTokens: 100, outputTokens: 10 } });
/** A thousand tokens cost a tenth of a cent, in and out alike. */
const prices = { scripted: { input: 1, output: 1 }, cheap: { input: 0.1, output: 0.1 } };
const base = { name: "desk", prices, tools: { look, dear } } as const;

async function watched(options: AgentOptions, runId = "r") {
  const agent = createAgent(options);
  const stream = agent.stream("Where is it?", { runId });
  const events: RunEvent[] = [];
  for await (const event of stream) events.push(event);
  return { agent, events, result: await stream.result };
}

describe("near a cap", () => {
  test("it is told once, with where it stands, as an event and a note of the journal", async () => {
    const model = scriptedModel([call("dear"), call("dear"), call("look"), "Done."]);
    const { events, agent } = await watched({ ...base, model, policy: { budget: { run: { usd: 1 }, wrapUp: false } } });
    const near = events.filter(({ type }) => type === "budget.near");
    expect(near).toEqual([
      {
        type: "budget.near",
        at: expect.any(Number),
        key: "turn-3/model/0",
        scope: "run",
        measure: "usd",
        limit: 1,
        spent: 0.80022,
        reserved: 0,
      },
    ]);
    const notes = (await agent.journal("r")).filter((entry) => entry.type === "note");
    expect(notes).toMatchObject([{ note: "budget-near", detail: { scope: "run", limit: 1 } }]);
  });

  test("a share of one's own says when", async () => {
    const model = scriptedModel([call("dear"), call("look"), "Done."]);
    const { events } = await watched({ ...base, model, policy: { budget: { run: { usd: 1 }, near: { at: 0.4 }, wrapUp: false } } });
    expect(events.filter(({ type }) => type === "budget.near")).toMatchObject([{ key: "turn-2/model/0" }]);
  });

  test("the named cheaper model is asked; the choice is recorded, and a replay takes it again", async () => {
    const model = scriptedModel([call("dear"), call("dear")]);
    const cheap = scriptedModel(["Done, and cheaply."], { id: "cheap" });
    const budget = { run: { usd: 1 }, near: { downgradeTo: cheap } };
    const { agent, result } = await watched({ ...base, model, policy: { budget } });
    expect(result).toMatchObject({ status: "completed", text: "Done, and cheaply." });
    expect(result.degraded).toEqual([{ model: "scripted", by: "cheap", key: "turn-3/model/0" }]);
    const choices = (await agent.journal("r")).filter((entry) => entry.type === "decided" && entry.reason === "budget");
    expect(choices).toMatchObject([{ key: "turn-3/downgrade", choice: { to: "cheap", scope: "run", measure: "usd" } }]);
    expect(await agent.replay("r")).toEqual({ ...result, traceId: undefined });
    expect([model.calls, cheap.calls]).toEqual([2, 1]);
  });

  test("a turn that had begun goes on with its own model, whatever budgets stand at by then", async () => {
    const down = new AgentError("quota_exhausted", "No credit.", { details: { status: 402 } });
    const model = scriptedModel([call("dear"), down, "Done, as before."]);
    const cheap = scriptedModel([], { id: "cheap" });
    const store = memoryStore();
    const policy = { budget: { user: { usd: 1 }, near: { downgradeTo: cheap }, wrapUp: false } } as const;
    const agent = createAgent({ ...base, model, store, policy });
    const user = { id: "u" };
    expect(await agent.run("Where is it?", { runId: "r", user })).toMatchObject({ status: "failed", resumable: true });
    const other = createAgent({
      ...base,
      model: scriptedModel([call("dear"), "Spent."]),
      store,
      policy: { budget: { user: { usd: 1 }, wrapUp: false } },
    });
    await other.run("Spend it.", { user });
    expect(await agent.resume("r")).toMatchObject({ status: "completed", text: "Done, as before." });
    expect(cheap.calls).toBe(0);
  });

  test("calls are spaced from then on, by the run's clock", async () => {
    const clock = autoClock();
    const model = scriptedModel([call("dear"), call("dear"), call("look"), "Done."]);
    const budget = { run: { usd: 1 }, near: { spacingMs: 700 }, wrapUp: false } as const;
    const agent = createAgent({ ...base, model, clock, store: memoryStore({ now: () => clock.now() }), policy: { budget } });
    const began = clock.now();
    const result = await agent.run("Where is it?");
    expect(result.status).toBe("completed");
    expect(clock.now() - began).toBe(1_400);
  });
});

describe("wrap-up", () => {
  const cap = { run: { usd: 0.9 } };
  const wrapped = [call("dear"), call("dear"), "I saw it is paid; I could not pay the rest."];

  test("a run that cannot go on answers from what there is, paid from what was kept back, and says what is missing", async () => {
    const model = scriptedModel([
      call("dear"),
      { calls: [call("dear"), call("dear")].flatMap(({ calls }) => calls) },
      "Half of it is paid.",
    ]);
    const { result, events } = await watched({ ...base, model, policy: { budget: cap } });
    expect(result).toMatchObject({
      status: "partial",
      text: "Half of it is paid.",
      finished: ["dear", "dear"],
      missing: [
        { what: "dear", why: "budget_exceeded" },
        { what: "answer", why: "budget_exceeded" },
      ],
      resumable: true,
    });
    expect(result.cost.usd).toBeLessThanOrEqual(0.9);
    expect(result.cost.byStage["wrap-up"]).toBeGreaterThan(0);
    const asked = model.requests.at(-1);
    expect(asked?.settings).toMatchObject({ toolChoice: "none", maxOutputTokens: 400 });
    expect(JSON.stringify(asked?.messages.at(-1))).toContain("Not done: dear");
    expect(events.filter(({ type }) => type === "text.delta")).toEqual([{ type: "text.delta", turn: 3, text: "Half of it is paid." }]);
  });

  test("replayed it is the same; resumed with more money the run goes on as if there had been none", async () => {
    const script = [...wrapped, call("look"), "All is paid."];
    const model = scriptedModel([
      script[0] ?? "",
      { calls: [call("dear"), call("dear")].flatMap(({ calls }) => calls) },
      ...script.slice(2),
    ]);
    const { agent, result } = await watched({ ...base, model, policy: { budget: cap } });
    expect(result.status).toBe("partial");
    expect(await agent.replay("r")).toEqual({ ...result, traceId: undefined });
    const more = await agent.resume("r", { budget: { usd: 5 } });
    expect(more).toMatchObject({ status: "completed", text: "All is paid." });
    const told = more.messages.map((message) => JSON.stringify(message.content)).join();
    expect(told).not.toContain("asked again by budget");
    expect(
      model.requests
        .slice(3)
        .flatMap(({ messages }) => messages)
        .filter(({ role }) => role === "user"),
    ).toHaveLength(2);
    const recorded = modelRequests(await agent.journal("r"));
    expect(recorded.map(({ request }) => request.messages)).toEqual(model.requests.map(({ messages }) => messages));
  });

  test("its answer passes the output guardrails; what they withhold is not shown", async () => {
    const model = scriptedModel([...wrapped]);
    const secret = { name: "no-pay", check: () => ({ verdict: "block" as const, message: "Not this." }) };
    const { result, events } = await watched({
      ...base,
      model,
      guardrails: { output: [secret] },
      policy: { budget: { run: { usd: 0.7 } } },
    });
    expect(result.status).toBe("partial");
    expect(JSON.stringify([result, events])).not.toContain("could not pay");
  });

  test("what they rewrite is shown as they left it", async () => {
    const model = scriptedModel([call("dear"), call("dear"), "It is paid; card 4111."]);
    const mask = {
      name: "mask",
      check: ({ text }: { text: string }) => ({ verdict: "rewrite" as const, text: text.replace("4111", "****") }),
    };
    const { result, events } = await watched({ ...base, model, guardrails: { output: [mask] }, policy: { budget: { run: { usd: 0.7 } } } });
    expect(result).toMatchObject({ status: "partial", text: "It is paid; card ****." });
    expect(JSON.stringify([result, events])).not.toContain("4111");
  });

  test("money for it is kept back from what would use it up", async () => {
    const small = tool({ description: "Costs.", inputSchema: { type: "object" }, effect: "read", cost: 0.0975, execute: () => "paid" });
    const run = async (budget: object) => {
      const model = scriptedModel([call("dear"), call("small"), "It is paid."]);
      return (await watched({ ...base, model, tools: { dear, small }, policy: { budget } })).result;
    };
    expect(await run({ run: { usd: 0.5 } })).toMatchObject({ status: "partial", text: "It is paid.", finished: ["dear"] });
    expect(await run({ run: { usd: 0.5 }, wrapUp: false })).toMatchObject({ status: "completed", cost: { byTool: { small: 0.0975 } } });
  });

  test("nothing is kept back that would leave too little to go on with", async () => {
    const model = scriptedModel([call("look"), "Seen."]);
    const { result } = await watched({ ...base, model, policy: { budget: { run: { tokens: 2_900 } } } });
    expect(result).toMatchObject({ status: "completed", text: "Seen." });
  });

  test("of caps that others share nothing is kept back", async () => {
    const small = tool({ description: "Costs.", inputSchema: { type: "object" }, effect: "read", cost: 0.0975, execute: () => "paid" });
    const model = scriptedModel([call("dear"), call("small"), "It is paid."]);
    const agent = createAgent({ ...base, model, tools: { dear, small }, policy: { budget: { run: { usd: 9 }, user: { usd: 0.5 } } } });
    expect(await agent.run("Where is it?", { user: { id: "u" } })).toMatchObject({ cost: { byTool: { small: 0.0975 } } });
  });

  test("the cheaper model is asked for it, where there is one", async () => {
    const model = scriptedModel([call("dear"), call("dear")]);
    const cheap = scriptedModel(["Half of it."], { id: "cheap" });
    const budget = { run: { usd: 0.7 }, near: { at: 1, downgradeTo: cheap } };
    const { result } = await watched({ ...base, model, policy: { budget } });
    expect(result).toMatchObject({ status: "partial", text: "Half of it." });
    expect(result.cost.byModel).toHaveProperty("cheap");
  });

  test("a run within may not use what is kept back, and has no such answer of its own", async () => {
    const small = tool({ description: "Costs.", inputSchema: { type: "object" }, effect: "read", cost: 0.0975, execute: () => "paid" });
    const asked = scriptedModel([call("look"), call("small"), "Never asked."], { id: "cheap" });
    const expert = createAgent({ name: "expert", model: asked, prices, tools: { look, small } });
    const model = scriptedModel([call("dear"), { calls: [{ name: "expert", arguments: { task: "go on" } }] }, "Only half."]);
    const tools = { dear, expert: expert.asTool({ description: "Asks." }) };
    const { result } = await watched({ ...base, model, tools, policy: { budget: { run: { usd: 0.5 } } } });
    expect(result).toMatchObject({ status: "partial", text: "Only half.", error: { code: "budget_exceeded", details: { scope: "run" } } });
    expect(asked.calls).toBe(2);
  });

  test("what a model is always asked with does not stand in its way", async () => {
    const model = {
      ...scriptedModel([call("dear"), call("dear"), "Half."]),
      settings: { maxOutputTokens: 8_000, toolChoice: "required" } as const,
    };
    const { result } = await watched({ ...base, model, policy: { budget: { run: { usd: 0.7 } } } });
    expect(result).toMatchObject({ status: "partial", text: "Half." });
    expect(model.requests.at(-1)?.settings).toEqual({ maxOutputTokens: 400, toolChoice: "none" });
  });

  test("a model that cannot be asked so is not; a run that runs out says it in our words", async () => {
    const check: Model["check"] = ({ settings }) => {
      if (settings.toolChoice === "none") throw new AgentError("configuration_invalid", "It has no such choice.");
    };
    const model = { ...scriptedModel([call("dear"), call("dear")]), check };
    const { result } = await watched({ ...base, model, policy: { budget: { run: { usd: 0.7 } } } });
    expect(result).toMatchObject({ status: "partial", finished: ["dear"] });
    expect(model.requests).toHaveLength(2);
  });

  test.each(["openai", "anthropic"] as const)(
    "over HTTP, with %s: the conversation with its calls and tools is taken, and no call is made",
    async (provider) => {
      const server = await simulatedProvider({
        rules: ({ conversation }) =>
          conversation.at(-1)?.text.startsWith("There is no budget") ? { text: "Half." } : { calls: [{ name: "dear", arguments: {} }] },
      });
      const model =
        provider === "openai"
          ? openai("gpt-5-mini", { apiKey: "k", baseURL: server.baseURL })
          : anthropic("claude-sonnet-5-5", {
              apiKey: "k",
              baseURL: new URL(server.baseURL).origin,
              thinking: { type: "enabled", budget_tokens: 1_024 },
            });
      try {
        const agent = createAgent({ name: "desk", model, tools: { dear }, policy: { budget: { run: { usd: 0.75 } } } });
        const result = await agent.run("Where is it?");
        expect(result).toMatchObject({ status: "partial", text: "Half.", error: { code: "budget_exceeded" } });
        expect(result.cost.usd).toBeLessThanOrEqual(0.75);
        expect(server.requests.map(({ status }) => status)).toEqual([200, 200, 200]);
        expect(JSON.stringify(server.requests.at(-1)?.body)).toMatch(/"tool_choice":("none"|\{"type":"none"\})/);
      } finally {
        await server.close();
      }
    },
  );

  test("false asks for no such answer, and keeps nothing back", async () => {
    const model = scriptedModel([call("dear"), call("dear")]);
    const { result } = await watched({ ...base, model, policy: { budget: { run: { usd: 0.5 }, wrapUp: false } } });
    expect(result).toMatchObject({ status: "partial", finished: ["dear"] });
    expect("text" in result ? result.text : undefined).toBeUndefined();
    expect(model.calls).toBe(2);
  });

  test("without money even for that, our own words say it", async () => {
    const model = scriptedModel([call("dear"), call("dear")]);
    const policy = { budget: { user: { usd: 0.402 } } };
    const agent = createAgent({ ...base, model, policy });
    const result = await agent.run("Where is it?", { user: { id: "u" } });
    if (result.status !== "partial") throw new Error(result.status);
    expect(result.text).toBeUndefined();
    expect(result.explanation).toContain("The budget of user cannot afford it");
    expect(result.explanation).toContain("Finished: dear.");
    expect(model.calls).toBe(2);
  });
});
