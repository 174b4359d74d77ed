// An agent as a tool: what its caller is told, and what may be said about it.
import { type Agent, AgentError, type AgentOptions, createAgent, memoryStore, type Tool, tool } from "airworthy";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { z } from "zod";
import { byTurn, call } from "../promises/tree-world.ts";
import { inner, pair, toldBy, typesOf } from "./desk-and-expert.ts";

const empty = z.object({});

describe("what is asked and told", () => {
  test("is one text by default, and the whole answer", async () => {
    const model = byTurn("It is late.");
    const { desk } = pair({ child: { model } });
    expect(toldBy(await desk.run("go", { runId: "r" }))).toEqual(["It is late."]);
    expect(model.requests[0]?.messages).toEqual([{ role: "user", content: "x" }]);
  });

  test("is what schema, input and output make of it, typed from one end to the other", async () => {
    const model = byTurn('{"days":3}');
    const expert = createAgent({ name: "expert", model, output: z.object({ days: z.number() }) });
    const plain = expert.asTool({ description: "d" });
    expectTypeOf(plain).toEqualTypeOf<Tool<{ readonly task: string }, { days: number }>>();
    const late = expert.asTool({
      description: "d",
      inputSchema: z.object({ order: z.string() }),
      input: (args) => {
        expectTypeOf(args).toEqualTypeOf<{ order: string }>();
        return [{ role: "user", content: `How late is ${args.order}?` }];
      },
      output: (answer) => {
        expectTypeOf(answer).toEqualTypeOf<{ days: number }>();
        return `${answer.days} days`;
      },
    });
    expectTypeOf(late).toEqualTypeOf<Tool<{ order: string }, string>>();
    const desk = createAgent({ name: "desk", model: byTurn({ calls: [call("late", { order: "7" })] }, "Bye."), tools: { late } });
    expect(toldBy(await desk.run("go"))).toEqual(["3 days"]);
    expect(model.requests[0]?.messages[0]).toEqual({ role: "user", content: "How late is 7?" });
  });

  test("is the arguments as JSON when only a schema is given", async () => {
    const model = byTurn("x");
    const expert = createAgent({ name: "expert", model });
    const asked = expert.asTool({ description: "d", inputSchema: z.object({ order: z.string() }) });
    await createAgent({ name: "desk", model: byTurn({ calls: [call("asked", { order: "7" })] }, "Bye."), tools: { asked } }).run("go");
    expect(model.requests[0]?.messages[0]).toEqual({ role: "user", content: '{"order":"7"}' });
  });

  test.each([
    [
      "input",
      {
        input: () => {
          throw new Error("secret");
        },
      },
    ],
    ["an input that is none", { input: () => "" }],
    [
      "output",
      {
        output: () => {
          throw new Error("secret");
        },
      },
    ],
  ])("fails as a tool does when the code around it breaks: %s", async (_, broken) => {
    const { desk } = pair({ as: { description: "d", ...broken } });
    const result = await desk.run("go");
    expect(result.status).toBe("completed");
    expect(toldBy(result)[0]).toContain('"code":"tool_failed"');
    expect(JSON.stringify(result)).not.toContain("secret");
  });
});

describe("an agent that comes to no answer", () => {
  const secret = "a secret of the expert";
  const block = { name: "g", check: () => ({ verdict: "block", message: secret }) as const };
  const escalate = { name: "g", check: () => ({ verdict: "escalate", message: secret }) as const };
  const look = tool({ description: "d", effect: "read", inputSchema: empty, execute: () => secret });
  test.each<[string, string, Partial<AgentOptions>]>([
    ["refused", "guardrail_blocked", { guardrails: { output: [block] } }],
    ["escalated", "guardrail_escalated", { guardrails: { output: [escalate] } }],
    ["failed", "provider_rejected", { model: scriptedModel(() => new AgentError("provider_rejected", secret)) }],
    ["failed", "quota_exhausted", { model: scriptedModel(() => new AgentError("quota_exhausted", secret)) }],
    [
      "failed",
      "stage_failed",
      {
        instructions: () => {
          throw new Error(secret);
        },
      },
    ],
    ["partial", "turn_limit", { model: byTurn({ calls: [call("look", {})] }), tools: { look }, policy: { limits: { turns: 1 } } }],
  ])("%s by %s is told in words, without what was said there; its run tells the rest", async (status, code, child) => {
    const { desk, expert, store } = pair({ child });
    const result = await desk.run("go", { runId: "r" });
    expect(result).toMatchObject({ status: "completed", output: "Bye." });
    const told = { error: { code: "child_failed", message: `The agent expert came to no answer: ${status} (${code}).` } };
    expect(JSON.parse(toldBy(result)[0] ?? "")).toMatchObject(told);
    expect(JSON.stringify([result, await store.journal.load("r")])).not.toContain(secret);
    expect((await expert.journal(inner)).at(-1)).toMatchObject({ status });
    expect((await desk.journal("r")).find((entry) => entry.type === "attempt.failed")).toMatchObject({
      error: { code: "child_failed", details: { agent: "expert", runId: inner, status, code } },
    });
  });

  test.each([
    ["is replaced by the fallback when it could not", { model: scriptedModel([new AgentError("quota_exhausted", "x")]) }, 1],
    ["is not when a rule refused", { guardrails: { output: [block] } }, 0],
  ])("%s", async (_, child, times) => {
    const execute = vi.fn(() => "by hand");
    const fallback = tool({ description: "d", inputSchema: z.object({ task: z.string() }), execute });
    const { desk } = pair({ child, as: { description: "d", fallback } });
    const result = await desk.run("go");
    expect(execute).toHaveBeenCalledTimes(times);
    expect(result.degraded.map(({ tool: name }) => name)).toEqual(times === 1 ? ["expert"] : []);
  });

  test("is asked once; with retries the same run goes on, and what it has done is done", async () => {
    const acts: string[] = [];
    const pay = tool({
      description: "d",
      effect: "pay",
      inputSchema: empty,
      execute: (_, { idempotencyKey }) => acts.push(idempotencyKey),
    });
    const child = (): Partial<AgentOptions> => {
      let asked = 0;
      const down = new AgentError("provider_unavailable", "x");
      const replies: readonly ScriptedReply[] = [{ calls: [call("pay", {})] }, down, "Paid."];
      return { model: scriptedModel(() => replies[asked++] ?? "x"), tools: { pay }, resilience: { retry: { attempts: 1 } } };
    };
    const once = pair({ child: child() });
    expect(toldBy(await once.desk.run("go", { runId: "r" }))[0]).toContain("failed (provider_unavailable)");
    const again = pair({ child: child(), as: { description: "d", retry: { attempts: 2 } } });
    const result = await again.desk.run("go", { runId: "r" });
    expect(toldBy(result)).toEqual(["Paid."]);
    expect(acts).toEqual([`expert/${inner}/turn-1/tool/0`, `expert/${inner}/turn-1/tool/0`]);
    expect(typesOf(await again.expert.journal(inner)).filter((type) => type.startsWith("run."))).toEqual([
      "run.started",
      "run.stopped",
      "run.resumed",
      "run.ended",
    ]);
    expect(result.usage).toMatchObject({ modelCalls: 4, toolCalls: 2, byAgent: { expert: { modelCalls: 2, unreported: 1 } } });
  });

  test("is asked again all the same: the breakers are those of its own models and tools", async () => {
    let asked = 0;
    const output = () => {
      if (asked++ === 0) throw new Error("x");
      return "It is late.";
    };
    const resilience = { breaker: { failures: 1, withinMs: 60_000 } };
    const { desk } = pair({ parent: { resilience }, as: { description: "d", output } });
    expect(toldBy(await desk.run("go"))[0]).toContain("tool_failed");
    expect(toldBy(await desk.run("go"))[0]).toBe("It is late.");
  });

  test("because its code has changed stops the caller, so that the run can go on with the code that began it", async () => {
    const store = memoryStore();
    const clock = autoClock();
    const make = (name: string, kind: string) => {
      const act = tool({
        description: "d",
        effect: "pay",
        inputSchema: empty,
        execute: () => (kind === "new" ? "x" : Promise.reject(Object.assign(new Error("x"), { code: "ECONNRESET" }))),
      });
      const expert = createAgent({ name: "expert", store, clock, model: byTurn({ calls: [call(name, {})] }, "x"), tools: { [name]: act } });
      return createAgent({
        name: "desk",
        store,
        clock,
        model: byTurn({ calls: [call("expert")] }, "Bye."),
        tools: { expert: expert.asTool({ description: "d" }) },
      });
    };
    expect(await make("pay", "old").run("go", { runId: "r" })).toMatchObject({ status: "suspended" });
    const options = { name: "expert", store, clock, model: scriptedModel([]) };
    const other = createAgent({
      ...options,
      stages: {
        planner: () =>
          Promise.resolve({
            status: "done",
            value: { text: "", finishReason: "tool-calls", calls: [{ type: "tool-call", callId: "c", name: "send", arguments: "{}" }] },
          }),
      },
    });
    const desk = createAgent({
      name: "desk",
      store,
      clock,
      model: scriptedModel([]),
      tools: { expert: other.asTool({ description: "d" }) },
    });
    expect(await desk.resume("r")).toMatchObject({ status: "failed", error: { code: "step_diverged" }, resumable: true });
  });
});

describe("a call that was begun", () => {
  const block = { toolInput: [{ name: "g", check: () => ({ verdict: "block", message: "no" }) as const }] };

  /** A store in which the desk has just begun its call, and the run within has come as far as `keep` says. */
  async function begun(keep: (lines: readonly string[]) => readonly string[]) {
    const { desk, store } = pair({});
    await desk.run("go", { runId: "r" });
    const lines = (await store.journal.load("r")) ?? [];
    const announced = lines.findIndex((line) => line.includes('"attempt.started"') && line.includes('"kind":"tool"'));
    const crashed = memoryStore();
    await crashed.journal.create({ runId: "r", agent: "desk" }, lines.slice(0, announced + 1));
    const kept = keep((await store.journal.load(inner)) ?? []);
    if (kept.length > 0) await crashed.journal.create({ runId: inner, agent: "expert" }, kept);
    return crashed;
  }

  test("is hidden by no later rule: an answer that is there counts, what was not begun is refused, nothing else is guessed at", async () => {
    const ruled = async (keep: (lines: readonly string[]) => readonly string[]) => {
      const store = await begun(keep);
      return pair({ child: { store, model: scriptedModel([]) }, parent: { store, guardrails: block } }).desk.resume("r");
    };
    expect(toldBy(await ruled((lines) => lines))).toEqual(["It is late."]);
    expect(toldBy(await ruled(() => []))[0]).toContain("guardrail_blocked");
    const waitingFor = [{ tool: "expert", key: "turn-1/tool/0" }];
    expect(await ruled((lines) => lines.slice(0, 1))).toMatchObject({ status: "suspended", waitingFor });
  });

  test("and cancelled within, cancels nobody who was not cancelled", async () => {
    const ended = { type: "run.ended", at: 0, status: "cancelled", error: { code: "cancelled", message: "Cancelled." } };
    const store = await begun((lines) => [...lines.slice(0, 1), JSON.stringify(ended)]);
    const result = await pair({ child: { store }, parent: { store } }).desk.resume("r");
    expect(result).toMatchObject({ status: "completed", output: "Bye." });
    expect(toldBy(result)[0]).toContain("cancelled (cancelled)");
  });
});

describe("asTool", () => {
  test("bounds how deep agents call one another", async () => {
    const agents: Agent[] = [createAgent({ name: "a0", model: byTurn("x") })];
    for (let depth = 1; depth <= 3; depth++) {
      const below = agents.at(-1)?.asTool({ description: "d", maxDepth: 2 });
      if (below) agents.push(createAgent({ name: `a${depth}`, model: byTurn({ calls: [call("below")] }, `x${depth}`), tools: { below } }));
    }
    const result = await agents.at(-1)?.run("go");
    expect(result).toMatchObject({ status: "completed", usage: { modelCalls: 6 } });
    expect(Object.keys(result?.usage.byAgent ?? {})).toEqual(["a3", "a2", "a1"]);
  });

  const expert = createAgent({ name: "expert", model: byTurn("x") });
  test.each([
    ["an unknown option", { description: "d", timeoutMs: 5 }, "timeoutMs"],
    ["no description", {}, "description"],
    ["a depth of nothing", { description: "d", maxDepth: 0 }, "maxDepth"],
    ["a schema that is no object", { description: "d", inputSchema: z.string() }, "object"],
  ])("throws for %s", (_, options, named) => {
    const wrong: Parameters<typeof expert.asTool>[0] = JSON.parse("{}");
    expect(() => expert.asTool(Object.assign(wrong, options))).toThrow(named);
  });

  test("is not executed by hand: a run has to call it", async () => {
    const made = expert.asTool({ description: "d" });
    const context = {
      callId: "c",
      idempotencyKey: "k",
      attempt: 1,
      signal: new AbortController().signal,
      context: undefined,
      run: { id: "r", agent: "a", agentVersion: "0", context: undefined },
    };
    await expect(made.execute({ task: "x" }, context)).rejects.toMatchObject({ code: "configuration_invalid" });
  });

  test("keeps the runs of an agent without a store with those that call it", async () => {
    const store = memoryStore();
    const desk = createAgent({
      name: "desk",
      store,
      model: byTurn({ calls: [call("expert")] }, "Bye."),
      tools: { expert: expert.asTool({ description: "d" }) },
    });
    await desk.run("go", { runId: "r" });
    expect(await store.journal.load(inner)).toBeDefined();
    await expect(expert.journal(inner)).rejects.toMatchObject({ code: "run_not_found" });
  });
});

test("an agent that acts is no read", () => {
  const act = tool({ description: "d", effect: "write", inputSchema: z.object({}), execute: () => "done" });
  const look = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "seen" });
  const agentWith = (tools: AgentOptions["tools"] & object) => createAgent({ name: "expert", model: scriptedModel([]), tools });
  expect(agentWith({ look }).asTool({ description: "Looks.", effect: "read" }).effect).toBe("read");
  expect(() => agentWith({ look, act }).asTool({ description: "Looks.", effect: "read" })).toThrow(/its tool act acts/);
});
