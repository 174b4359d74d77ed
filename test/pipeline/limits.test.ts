// A limit ends a run in something: `partial`, saying what there is and what is missing, and open to be resumed under a higher limit.
import { type AgentOptions, createAgent, type LimitOptions, tool } from "airworthy";
import { type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const seen: string[] = [];
const find = tool({
  description: "d",
  effect: "read",
  inputSchema: z.object({ id: z.string() }),
  execute: ({ id }) => {
    seen.push(id);
    return id;
  },
});

const ask = (...ids: string[]): ScriptedReply => ({ calls: ids.map((id) => ({ name: "find", arguments: { id } })) });

function agentOf(replies: readonly ScriptedReply[], limits: LimitOptions, more: Partial<AgentOptions> = {}) {
  seen.length = 0;
  const model = scriptedModel(replies);
  return { model, agent: createAgent({ name: "a", model, tools: { find }, policy: { limits }, ...more }) };
}

describe("turns", () => {
  test("the limit-th turn is taken, the next is not; a resume with a higher limit goes on where it stopped", async () => {
    const { model, agent } = agentOf([ask("1"), ask("2"), ask("3"), "done"], { turns: 2 });
    const stopped = await agent.run("go", { runId: "r" });
    expect(stopped).toMatchObject({
      status: "partial",
      error: { code: "turn_limit" },
      finished: ["find", "find"],
      missing: [{ what: "answer", why: "turn_limit" }],
    });
    expect(model.calls).toBe(2);
    const same = await agent.resume("r");
    expect(same.status).toBe("partial");
    expect(model.calls).toBe(2);
    const ended = await agent.resume("r", { limits: { turns: 4 } });
    expect(ended).toMatchObject({ status: "completed", output: "done" });
    expect(seen).toEqual(["1", "2", "3"]);
    expect(model.calls).toBe(4);
  });

  test("a run that has ended is only answered by a resume", async () => {
    const { model, agent } = agentOf(["done"], {});
    const first = await agent.run("go", { runId: "r" });
    expect(JSON.stringify(await agent.resume("r", { limits: { turns: 99 } }))).toBe(JSON.stringify(first));
    expect(model.calls).toBe(1);
  });
});

describe("tool calls", () => {
  test("eight asked with six left: none is started, the transcript says so, and a resume starts all eight", async () => {
    const eight = ["1", "2", "3", "4", "5", "6", "7", "8"];
    const { agent } = agentOf([ask(...eight), "done"], { toolCalls: 6 });
    const stopped = await agent.run("go", { runId: "r" });
    expect(stopped).toMatchObject({ status: "partial", error: { code: "tool_call_limit", details: { limit: 6 } }, finished: [] });
    expect(seen).toEqual([]);
    const results = stopped.messages.filter(({ role }) => role === "tool");
    expect(results).toHaveLength(8);
    for (const { content } of results) expect(content).toContain("not executed");
    const ended = await agent.resume("r", { limits: { toolCalls: 8 } });
    expect(ended.status).toBe("completed");
    expect(seen).toEqual(eight);
  });

  test("exactly as many as allowed are made", async () => {
    const { agent } = agentOf([ask("1", "2"), ask("3"), "done"], { toolCalls: 3 });
    expect((await agent.run("go")).status).toBe("completed");
    expect(seen).toHaveLength(3);
  });

  test("0 is zero", async () => {
    const { agent } = agentOf([ask("1"), "done"], { toolCalls: 0 });
    expect(await agent.run("go")).toMatchObject({ status: "partial", error: { code: "tool_call_limit" } });
    const none = agentOf(["done"], { turns: 0 });
    expect(await none.agent.run("go")).toMatchObject({ status: "partial", error: { code: "turn_limit" } });
    expect(none.model.calls).toBe(0);
  });
});

test("three calls that cannot be executed are answered, the fourth stops the run", async () => {
  const wrong: ScriptedReply = { calls: [{ name: "nope", arguments: {} }] };
  const { model, agent } = agentOf([wrong, ask("1"), wrong, { calls: [{ name: "find", arguments: "{}" }] }, wrong, "done"], {});
  const stopped = await agent.run("go", { runId: "r" });
  expect(stopped).toMatchObject({ status: "partial", error: { code: "invalid_call_limit", details: { limit: 3 } } });
  expect(model.calls).toBe(5);
  expect(await agent.resume("r", { limits: { invalidCalls: 4 } })).toMatchObject({ status: "completed" });
});

describe("identical calls", () => {
  const same = (id: string): ScriptedReply => ({ calls: [{ name: "find", arguments: `{"id":"${id}","x":1}` }] });
  const turned: ScriptedReply = { calls: [{ name: "find", arguments: '{"x":1, "id":"1"}' }] };

  test("warned from the third on, stopped at the fifth, whatever the order of keys", async () => {
    const { agent, model } = agentOf([same("1"), turned, same("1"), turned, same("1"), "done"], {});
    const stopped = await agent.run("go", { runId: "r" });
    expect(stopped).toMatchObject({ status: "partial", error: { code: "loop_detected", details: { tool: "find" } } });
    expect(seen).toHaveLength(4);
    const results = stopped.messages.flatMap((message) => (message.role === "tool" ? [message.content] : []));
    expect(results.map((content) => content.includes("several times in a row"))).toEqual([false, false, true, true, false]);
    expect(model.calls).toBe(5);
    expect(await agent.resume("r", { limits: { identicalCalls: { stopAt: 9 } } })).toMatchObject({ status: "completed" });
  });

  test("another call in between starts the count again; one beside it does not", async () => {
    const between = agentOf([same("1"), same("1"), ask("2"), same("1"), same("1"), ask("2"), same("1"), "done"], {});
    expect((await between.agent.run("go")).status).toBe("completed");
    const beside = agentOf([ask("1", "a"), ask("b", "1"), ask("1", "c"), ask("d", "1"), ask("1", "e"), "done"], {});
    expect(await beside.agent.run("go")).toMatchObject({ status: "partial", error: { code: "loop_detected" } });
  });

  test("five of them in one batch are five in a row, and none is started", async () => {
    const { agent } = agentOf([ask("1", "1", "1", "1", "1"), "done"], {});
    expect(await agent.run("go")).toMatchObject({ status: "partial", error: { code: "loop_detected" } });
    expect(seen).toEqual([]);
  });

  test.each([
    ["a tool that is meant to be polled", { loopKey: false as const }],
    ["a loopKey that tells the calls apart", { loopKey: () => Math.max(0, seen.length) }],
  ])("%s is left alone", async (_, option) => {
    const { agent } = agentOf(
      [...Array.from({ length: 8 }, () => ask("1")), "done"],
      {},
      {
        tools: {
          find: tool({
            description: "d",
            effect: "read",
            inputSchema: z.object({ id: z.string() }),
            execute: ({ id }) => seen.push(id),
            ...option,
          }),
        },
      },
    );
    expect((await agent.run("go")).status).toBe("completed");
  });
});
