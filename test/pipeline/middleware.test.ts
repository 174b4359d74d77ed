// The user's code around stages and steps: once per executed one, never on a second pass, and without power over a refusal or a cancel.
import { AgentError, createAgent, type Middleware, memoryStore, type Stages, tool } from "airworthy";
import { autoClock, hang, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const flaky = () => {
  let times = 0;
  return tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({ id: z.string() }),
    execute: ({ id }) => {
      if (times++ === 0) throw new Error("once");
      return id;
    },
  });
};

const script = () =>
  scriptedModel([
    new TypeError("fetch failed"),
    {
      calls: [
        { name: "find", arguments: { id: "7" } },
        { name: "nope", arguments: {} },
      ],
    },
    "done",
  ]);

function counting() {
  const seen: string[] = [];
  const middleware: Middleware = {
    stage: async ({ key }, next) => {
      seen.push(`stage ${key} ${(await next()).status}`);
    },
    model: async ({ key, model }, next) => {
      const outcome = await next();
      seen.push(`model ${key} ${model} ${outcome.status}`);
      return outcome;
    },
    tool: async ({ key, tool: name, input }, next) => {
      const outcome = await next();
      seen.push(`tool ${key} ${name} ${JSON.stringify(input)} ${outcome.status}`);
      return outcome;
    },
  };
  return { seen, middleware };
}

test("each fires once per executed stage or step, outside retries, with what was validated; never on a second pass", async () => {
  const store = memoryStore();
  const { seen, middleware } = counting();
  const make = () => createAgent({ name: "a", store, clock: autoClock(), model: script(), tools: { find: flaky() }, use: [middleware] });
  await make().run("go", { runId: "r" });
  expect(seen).toEqual([
    "stage input-filter done",
    "stage context done",
    "model turn-1/model/0 scripted done",
    "stage turn-1/planner done",
    'tool turn-1/tool/0 find {"id":"7"} done',
    "stage turn-1/executor done",
    "model turn-2/model/0 scripted done",
    "stage turn-2/planner done",
    "stage turn-2/output-filter done",
    "stage turn-2/response-builder done",
  ]);
  seen.length = 0;
  expect(await make().run("go", { runId: "r" })).toMatchObject({ status: "completed" });
  expect(seen).toEqual([]);
});

test("several nest, the first outermost", async () => {
  const order: string[] = [];
  const named = (name: string): Middleware => ({
    model: async (_, next) => {
      order.push(`${name} in`);
      const outcome = await next();
      order.push(`${name} out`);
      return outcome;
    },
    stage: async ({ name: stage }, next) => {
      if (stage === "context") order.push(`${name} stage in`);
      await next();
      if (stage === "context") order.push(`${name} stage out`);
    },
  });
  await createAgent({ name: "a", model: scriptedModel(["x"]), use: [named("1"), named("2")] }).run("go");
  expect(order).toEqual(["1 stage in", "2 stage in", "2 stage out", "1 stage out", "1 in", "2 in", "2 out", "1 out"]);
});

describe("answers of its own", () => {
  test("are recorded in place of ours, and stand on a second pass without it", async () => {
    const store = memoryStore();
    const answer = {
      status: "done",
      value: { message: { role: "assistant", content: [{ type: "text", text: "cached" }] }, finishReason: "stop" },
    } as const;
    const model = scriptedModel([]);
    const first = await createAgent({ name: "a", store, model, use: [{ model: () => Promise.resolve(answer) }] }).run("go", { runId: "r" });
    expect(first).toMatchObject({ status: "completed", output: "cached", usage: { modelCalls: 0 } });
    const again = await createAgent({ name: "a", store, model }).run("go", { runId: "r" });
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    expect(model.calls).toBe(0);
  });

  test("asking twice performs once", async () => {
    const model = scriptedModel(["once", "twice"]);
    const twice: Middleware = { model: async (_, next) => (await next(), next()) };
    expect(await createAgent({ name: "a", model, use: [twice] }).run("go")).toMatchObject({ output: "once" });
    expect(model.calls).toBe(1);
  });

  test("cannot make something else of a cancel", async () => {
    const cancel = new AbortController();
    const answer = { status: "done", value: { message: { role: "assistant", content: [] }, finishReason: "stop" } } as const;
    const swallow: Middleware = {
      model: async (_, next) => {
        await next();
        return answer;
      },
    };
    const model = scriptedModel((_, { signal }) => {
      queueMicrotask(() => cancel.abort());
      expect(signal.aborted).toBe(false);
      return hang();
    });
    expect(await createAgent({ name: "a", model, use: [swallow] }).run("go", { signal: cancel.signal })).toMatchObject({
      status: "cancelled",
    });
  });
});

describe("one that breaks", () => {
  const boom = () => {
    throw new Error("BUDGET");
  };
  test.each<[string, Middleware]>([
    ["stage", { stage: boom }],
    [
      "stage, after it",
      {
        stage: async (_, next) => {
          await next();
          boom();
        },
      },
    ],
    ["model", { model: boom }],
    ["tool", { tool: boom }],
    ["model, with no outcome", { model: () => JSON.parse("null") }],
  ])("around a %s stops the run, and is not swallowed", async (_, middleware) => {
    const agent = createAgent({ name: "a", clock: autoClock(), model: script(), tools: { find: flaky() }, use: [middleware] });
    expect(await agent.run("go")).toMatchObject({ status: "failed", error: { code: "middleware_failed" } });
  });
});

describe("stages of one's own", () => {
  const planner: Stages["planner"] = async (run, line, turn) => {
    const choice = await run.decide("rule", () => (line.input === "reset my password" ? "rule" : "model"));
    if (choice.status !== "done") return choice;
    const text = `${choice.value} in turn ${turn}`;
    line.window.finish(turn, text);
    return { status: "done", value: { text, calls: [], finishReason: "stop" } };
  };

  test("take the place of ours: a rule answers with no model call, the same on a second pass", async () => {
    const model = scriptedModel([]);
    const store = memoryStore();
    const first = await createAgent({ name: "a", store, model, stages: { planner } }).run("reset my password", { runId: "r" });
    expect(first).toMatchObject({ status: "completed", output: "rule in turn 1" });
    const again = await createAgent({ name: "a", store, model, stages: { planner } }).run("reset my password", { runId: "r" });
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    expect(model.calls).toBe(0);
  });

  test("one that throws fails the run; its own AgentError keeps its code", async () => {
    const throws = (error: Error) =>
      createAgent({ name: "a", model: scriptedModel([]), stages: { context: () => Promise.reject(error) } }).run("go");
    expect(await throws(new TypeError("oops"))).toMatchObject({
      status: "failed",
      error: { code: "stage_failed", cause: { message: "oops" } },
    });
    expect(await throws(new AgentError("guardrail_blocked", "no"))).toMatchObject({
      status: "refused",
      error: { code: "guardrail_blocked" },
    });
  });
});
