// Failures of tools are limited: in all and one after the other. The limit-th stops the run in something that says what was tried.
import { type AgentOptions, createAgent, type LimitOptions, memoryStore, tool, toolError } from "airworthy";
import { autoClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const inputSchema = z.object({ id: z.string() });
const find = tool({ description: "d", effect: "read", inputSchema, execute: ({ id }) => id });
const broken = tool({ description: "d", inputSchema, execute: () => Promise.reject(new Error("no")) });
const deliberate = tool({
  description: "d",
  inputSchema,
  execute: () => {
    throw toolError("There is no such order.");
  },
});
const mended = tool({ description: "d", inputSchema, execute: () => Promise.reject(new Error("no")), fallback: find });
const slow = tool({
  description: "d",
  inputSchema,
  repeat: "with-same-key",
  retry: { attempts: 1 },
  timeoutMs: 50,
  execute: () => new Promise<never>(() => {}),
});

let id = 0;
/** One turn: a call of each of these tools, no two alike. */
const turn = (...names: string[]): ScriptedReply => ({
  calls: names.map((name) => ({ name, arguments: name === "wrong" ? "[" : { id: `${(id += 1)}` } })),
});

function agentOf(replies: readonly ScriptedReply[], limits: LimitOptions = {}, more: Partial<AgentOptions> = {}) {
  const tools = { find, broken, deliberate, mended, slow };
  return createAgent({ name: "a", model: scriptedModel(replies), tools, policy: { limits }, clock: autoClock(), ...more });
}

describe("in a row", () => {
  test("the limit-th stops the run, and it says what was tried; the rest of the batch is done", async () => {
    const agent = agentOf([turn("broken"), turn("slow"), turn("broken", "find"), "done"], { failuresInARow: 3 });
    const stopped = await agent.run("go", { runId: "r" });
    expect(stopped).toMatchObject({
      status: "partial",
      resumable: true,
      error: { code: "failure_limit", message: "3 tool calls in a row failed.", details: { limit: 3, inARow: true } },
      finished: ["find"],
      missing: [
        { what: "broken", why: "failure_limit" },
        { what: "slow", why: "failure_limit" },
        { what: "broken", why: "failure_limit" },
        { what: "answer", why: "failure_limit" },
      ],
      tried: [
        { tool: "broken", code: "tool_failed", times: 2 },
        { tool: "slow", code: "tool_timeout", times: 1 },
      ],
    });
    expect(stopped.status === "partial" && stopped.explanation).toContain("Tried without success: broken (2 times), slow.");
    expect(stopped.messages.filter(({ role }) => role === "tool")).toHaveLength(4);
    expect((await agent.journal("r")).at(-1)).toMatchObject({ type: "run.stopped", partial: { tried: [{ times: 2 }, { times: 1 }] } });
    expect(await agent.run("go", { runId: "r" })).toMatchObject({ status: "partial", tried: [{ times: 2 }, { times: 1 }] });
  });

  test("one that went well begins the row anew, also by its fallback; a wrong call or a no that was meant does not", async () => {
    const two = turn("broken", "broken");
    expect((await agentOf([two, turn("find"), two, turn("mended"), two, "done"], { failuresInARow: 3 }).run("go")).status).toBe(
      "completed",
    );
    const row = [two, turn("deliberate"), turn("wrong"), turn("nope"), turn("broken"), "done"];
    expect(await agentOf(row, { failuresInARow: 3 }).run("go")).toMatchObject({ error: { code: "failure_limit" } });
    expect((await agentOf(row, { failuresInARow: 4 }).run("go")).status).toBe("completed");
  });

  test("goes by the order of the calls, whichever was ready first", async () => {
    const limits = { failuresInARow: 2 };
    expect((await agentOf([turn("broken", "broken", "find", "broken"), "done"], limits).run("go")).status).toBe("partial");
    expect((await agentOf([turn("slow", "find", "broken"), "done"], limits).run("go")).status).toBe("completed");
    expect((await agentOf([turn("find", "slow", "broken", "find"), "done"], limits).run("go")).status).toBe("partial");
  });

  test("what a rule refuses or withholds is no failure", async () => {
    const guardrails = {
      toolInput: [{ name: "in", check: ({ tool: name }: { tool?: string }) => (name === "find" ? block : pass) }],
      toolOutput: [{ name: "out", check: () => block }],
    };
    const agent = agentOf([turn("find"), turn("mended"), "done"], { failuresInARow: 1 }, { guardrails });
    expect((await agent.run("go")).status).toBe("completed");
  });
});

const block = { verdict: "block", message: "no" } as const;
const pass = { verdict: "pass" } as const;

describe("in all", () => {
  test("the limit-th stops the run whatever went well in between", async () => {
    const agent = agentOf([turn("broken"), turn("find"), turn("broken"), "done"], { failures: 2 });
    expect(await agent.run("go")).toMatchObject({
      status: "partial",
      error: { code: "failure_limit", message: "2 tool calls failed.", details: { limit: 2, inARow: false } },
    });
  });

  test("without a word, five in a row or twenty in all", async () => {
    const five = Array.from({ length: 5 }, () => turn("broken"));
    expect(await agentOf([...five.slice(1), "done"]).run("go")).toMatchObject({ status: "completed" });
    expect(await agentOf([...five, "done"]).run("go")).toMatchObject({ error: { code: "failure_limit", details: { limit: 5 } } });
    const fours = Array.from({ length: 5 }, () => turn("broken", "broken", "broken", "broken", "find"));
    expect(await agentOf([...fours.slice(1), turn("find"), "done"], { toolCalls: 99 }).run("go")).toMatchObject({ status: "completed" });
    expect(await agentOf([...fours, "done"], { toolCalls: 99 }).run("go")).toMatchObject({
      error: { code: "failure_limit", details: { limit: 20 } },
    });
  });

  test("0 is no limit there can be", () => {
    expect(() => agentOf([], { failures: 0 })).toThrow(/"failures"/);
    expect(() => agentOf([], { failuresInARow: 0 })).toThrow(/"failuresInARow"/);
  });
});

describe("a later pass", () => {
  test("goes on under a higher limit, counts what there was, and stops at the same place under the same", async () => {
    const agent = agentOf([turn("broken"), turn("broken"), turn("broken"), turn("find"), "done"], { failuresInARow: 2 });
    await agent.run("go", { runId: "r" });
    expect(await agent.resume("r")).toMatchObject({ status: "partial", error: { details: { limit: 2 } } });
    expect(await agent.resume("r", { limits: { failuresInARow: 3 } })).toMatchObject({
      status: "partial",
      error: { code: "failure_limit", details: { limit: 3 } },
      tried: [{ tool: "broken", times: 3 }],
    });
    expect(await agent.replay("r")).toMatchObject({ status: "partial" });
    expect(await agent.resume("r", { limits: { failuresInARow: 4 } })).toMatchObject({ status: "completed" });
    expect(await agent.replay("r")).toMatchObject({ status: "completed" });
  });

  test("under a lower one stops before all that was done, and is replayed so", async () => {
    const agent = agentOf([turn("broken"), turn("broken"), turn("find"), "done"], { turns: 3 });
    await agent.run("go", { runId: "r" });
    expect(await agent.resume("r", { limits: { failures: 1 } })).toMatchObject({ status: "partial", error: { code: "failure_limit" } });
    expect(await agent.replay("r")).toMatchObject({ status: "partial", error: { code: "failure_limit" } });
  });

  test("over a journal of before there was such a limit has none", async () => {
    const store = memoryStore();
    const agent = agentOf([turn("broken"), turn("broken"), turn("broken"), "done"], { turns: 1 }, { store });
    await agent.run("go", { runId: "r" });
    const old = memoryStore();
    const lines = (await store.journal.load("r")) ?? [];
    const caps = /,"failures":20,"failuresInARow":5/;
    expect(lines[0]).toMatch(caps);
    await old.journal.create(
      { runId: "r", agent: "a" },
      lines.map((line) => line.replace(caps, "")),
    );
    const six = Array.from({ length: 6 }, () => turn("broken"));
    const later = agentOf([...six, "done"], { failuresInARow: 1 }, { store: old });
    expect(await later.resume("r", { limits: { turns: 9 } })).toMatchObject({ status: "completed" });
  });
});

test("failures of an agent that is asked are its own; that it came to no answer is one of its caller", async () => {
  const inner = agentOf([turn("broken"), turn("broken"), "ok"], { failures: 2 }, { name: "inner" });
  const ask = inner.asTool({ description: "d" });
  const model = scriptedModel([{ calls: [{ name: "ask", arguments: { task: "t" } }] }, "done"]);
  const outer = createAgent({ name: "outer", model, tools: { ask }, policy: { limits: { failures: 2 } } });
  expect(await outer.run("go")).toMatchObject({ status: "completed" });
  const strict = createAgent({
    name: "outer",
    model: scriptedModel([{ calls: [{ name: "ask", arguments: { task: "t" } }] }]),
    tools: { ask: agentOf([turn("broken"), "ok"], { failures: 1 }, { name: "inner" }).asTool({ description: "d" }) },
    policy: { limits: { failures: 1 } },
  });
  expect(await strict.run("go")).toMatchObject({ status: "partial", tried: [{ tool: "ask", code: "child_failed", times: 1 }] });
});

test("a run that was wrapped up for want of money, and gone on with, is replayed without its last words of then", async () => {
  const replies = Array.from({ length: 4 }, () => turn("find"));
  const model = scriptedModel(({ messages }) => {
    const isWrapUp = JSON.stringify(messages.at(-1)).includes("no budget left");
    return isWrapUp ? "So far." : (replies[messages.filter(({ role }) => role === "tool").length] ?? "done");
  });
  const agent = agentOf([], {}, { model, policy: { budget: { run: { calls: 3 } } } });
  expect(await agent.run("go", { runId: "r" })).toMatchObject({ status: "partial", text: "So far.", error: { code: "budget_exceeded" } });
  expect(await agent.resume("r", { budget: { calls: 5 } })).toMatchObject({ status: "partial", error: { code: "budget_exceeded" } });
  expect(await agent.replay("r")).toMatchObject({ status: "partial" });
  expect(await agent.resume("r", { budget: { calls: 30 } })).toMatchObject({ status: "completed" });
  expect(await agent.replay("r")).toMatchObject({ status: "completed" });
});

test("a run gone on with under a lower budget has done all that it had, and is replayed so", async () => {
  const agent = agentOf([turn("find"), turn("find"), turn("find"), "done"], { turns: 2 });
  await agent.run("go", { runId: "r", budget: { calls: 9 } });
  const stopped = await agent.resume("r", { limits: { turns: 9 }, budget: { calls: 1 } });
  expect(stopped).toMatchObject({ status: "partial", error: { code: "budget_exceeded" }, finished: ["find", "find"] });
  expect(await agent.replay("r")).toMatchObject({ status: "partial", error: { code: "budget_exceeded" } });
});
