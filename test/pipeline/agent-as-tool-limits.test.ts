// An agent as a tool: what its run takes counts against the limits of every run above.
import { type Agent, createAgent, type LimitOptions, memoryStore, type Store, tool } from "airworthy";
import { autoClock, type ScriptedReply } from "airworthy/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { byTurn, call, cutStore, writtenStore } from "../promises/tree-world.ts";
import { inner, toldBy, typesOf } from "./desk-and-expert.ts";

interface Made {
  readonly desk: readonly ScriptedReply[];
  readonly expert: readonly ScriptedReply[];
  readonly limits?: LimitOptions;
  readonly own?: LimitOptions;
  readonly store?: Store;
}

const act = { calls: [call("act", {})] };

/** A desk that asks an expert who acts; `acts` are the idempotency keys of what was done. */
function made({ desk: deskSays, expert: expertSays, limits = {}, own = {}, store = memoryStore() }: Made) {
  const acts: string[] = [];
  const common = { store, clock: autoClock() };
  const acting = tool({
    description: "Acts.",
    inputSchema: z.object({}),
    effect: "send",
    repeat: "with-same-key",
    loopKey: false,
    execute: (_, { idempotencyKey }) => acts.push(idempotencyKey),
  });
  const expert = createAgent({ ...common, name: "expert", model: byTurn(...expertSays), tools: { act: acting }, policy: { limits: own } });
  const tools = { expert: expert.asTool({ description: "d" }), act: acting };
  const desk = createAgent({ ...common, name: "desk", model: byTurn(...deskSays), tools, policy: { limits } });
  return { desk, expert, acts, store };
}

const lastOf = async (agent: Agent, runId: string) => (await agent.journal(runId)).findLast(({ type }) => type !== "note");

test("turns within are turns of the caller; raised, both go on where they stood and nothing is done twice", async () => {
  const { desk, expert, acts } = made({
    desk: [{ calls: [call("expert")] }, "Bye."],
    expert: [act, act, act, "Done."],
    limits: { turns: 4 },
  });
  const stopped = await desk.run("go", { runId: "r" });
  expect(stopped).toMatchObject({ status: "partial", error: { code: "turn_limit", details: { limit: 4 } }, resumable: true });
  expect(acts).toHaveLength(3);
  expect(await lastOf(expert, inner)).toMatchObject({ type: "run.stopped", status: "partial", error: { code: "turn_limit" } });

  expect(await desk.resume("r", { limits: { turns: 5 } })).toMatchObject({ status: "partial", error: { code: "turn_limit" } });
  expect(await desk.resume("r", { limits: { turns: 6 } })).toMatchObject({ status: "completed", text: "Bye.", usage: { modelCalls: 6 } });
  expect(new Set(acts).size).toBe(3);
  expect(acts).toHaveLength(3);
});

test("calls within are calls of the caller, and of the one above it; side by side they never pass its limit together", async () => {
  const both = { calls: [call("expert"), { ...call("expert"), callId: "other" }] };
  const { desk, acts } = made({ desk: [both, "Bye."], expert: [act, act, act, "Done."], limits: { toolCalls: 6 } });
  const stopped = await desk.run("go", { runId: "r" });
  expect(stopped).toMatchObject({ status: "partial", error: { code: "tool_call_limit" } });
  expect(acts).toHaveLength(4);
  const ended = await desk.resume("r", { limits: { toolCalls: 8 } });
  expect(ended).toMatchObject({ status: "completed", usage: { toolCalls: 8 } });
  expect(toldBy(ended)).toEqual(["Done.", "Done."]);
  expect(new Set(acts).size).toBe(6);
  expect(acts).toHaveLength(6);
});

test("an agent that reaches a limit of its own has come to no answer, and its caller goes on", async () => {
  const { desk, acts } = made({ desk: [{ calls: [call("expert")] }, "Bye."], expert: [act, act, "Done."], own: { turns: 1 } });
  const ended = await desk.run("go", { runId: "r" });
  expect(ended.status).toBe("completed");
  expect(toldBy(ended)[0]).toContain("turn_limit");
  expect(acts).toHaveLength(1);
});

test("what a call took that is over counts in every later pass and replay", async () => {
  const desk = [{ calls: [call("expert")] }, { calls: [call("expert")] }, "Bye."];
  const world = made({ desk, expert: [act, "Done."], limits: { turns: 4 } });
  expect(await world.desk.run("go", { runId: "r" })).toMatchObject({ status: "partial", error: { code: "turn_limit" } });
  // Two turns of the desk, two of the first expert: nothing was left for the second.
  expect(world.acts).toHaveLength(1);
  const again = made({ desk, expert: [act, "Done."], limits: { turns: 4 }, store: world.store });
  expect(await again.desk.resume("r")).toMatchObject({ status: "partial", error: { code: "turn_limit" } });
  expect(again.acts).toHaveLength(0);
  expect(await again.desk.replay("r")).toMatchObject({ status: "partial", error: { code: "turn_limit" } });
  expect(await again.expert.replay(inner)).toMatchObject({ status: "completed" });
  expect(await again.expert.replay("r>turn-2/tool/0")).toMatchObject({ status: "partial", error: { code: "turn_limit" } });
  const ended = await again.desk.resume("r", { limits: { turns: 7 } });
  expect(ended).toMatchObject({ status: "completed", usage: { modelCalls: 7 } });
  expect(await again.desk.replay("r")).toEqual(ended);
  expect(typesOf(await again.expert.journal("r>turn-2/tool/0")).at(-1)).toBe("run.ended");
});

test("the limit of the outermost holds three deep, and stops all that are between", async () => {
  const store = memoryStore();
  const { expert, acts } = made({ desk: [], expert: [act, act, act, "Done."], store });
  const common = { store, clock: autoClock() };
  const tools = { expert: expert.asTool({ description: "d" }) };
  const lead = createAgent({ ...common, name: "lead", model: byTurn({ calls: [call("expert")] }, "Led."), tools });
  const boss = createAgent({
    ...common,
    name: "boss",
    model: byTurn({ calls: [call("lead")] }, "Bye."),
    tools: { lead: lead.asTool({ description: "d" }) },
    policy: { limits: { toolCalls: 3 } },
  });
  expect(await boss.run("go", { runId: "b" })).toMatchObject({
    status: "partial",
    error: { code: "tool_call_limit", details: { limit: 3 } },
  });
  expect(acts).toHaveLength(1);
  expect(await lastOf(lead, "b>turn-1/tool/0")).toMatchObject({ type: "run.stopped", status: "partial" });
  expect(await boss.resume("b", { limits: { toolCalls: 5 } })).toMatchObject({ status: "completed", usage: { toolCalls: 5 } });
  expect(acts).toHaveLength(3);
});

test("after a crash at any entry the same is left, no more", async () => {
  const says = { desk: [{ calls: [call("expert"), { ...call("expert"), callId: "other" }] }, "Bye."], expert: [act, act, "Done."] };
  const whole = writtenStore();
  await made({ ...says, limits: { toolCalls: 5 }, store: whole.store }).desk.run("go", { runId: "r" });
  expect(whole.written.length).toBeGreaterThan(30);
  for (let lines = 1; lines <= whole.written.length; lines++) {
    const { desk, acts } = made({ ...says, store: await cutStore(whole.written, lines) });
    const stopped = await desk.resume("r");
    expect(stopped).toMatchObject({ status: "partial", error: { code: "tool_call_limit" }, usage: { toolCalls: 5 } });
    const ended = await desk.resume("r", { limits: { toolCalls: 6 } });
    expect(ended).toMatchObject({ status: "completed", usage: { toolCalls: 6 } });
    expect(new Set(acts).size).toBe(acts.length);
    expect(await desk.replay("r")).toEqual(ended);
  }
});

test("a run between stays stopped by a limit above, whatever others below it may still take", async () => {
  const store = memoryStore();
  const common = { store, clock: autoClock() };
  const acting = tool({ description: "d", inputSchema: z.object({}), effect: "write", loopKey: false, execute: () => "done" });
  const description = "d";
  const asking = (...replies: readonly ScriptedReply[]) => byTurn(...replies);
  const five = { calls: Array.from({ length: 5 }, (_, n) => ({ ...call("act", {}), callId: `c${n}` })) };
  const greedy = createAgent({ ...common, name: "greedy", model: asking(five, "Greedy."), tools: { act: acting } });
  const modest = createAgent({ ...common, name: "modest", model: asking(act, act, "Modest."), tools: { act: acting } });
  const lead = createAgent({
    ...common,
    name: "lead",
    model: asking({ calls: [call("greedy"), { ...call("modest"), callId: "other" }] }, "Led."),
    tools: { greedy: greedy.asTool({ description }), modest: modest.asTool({ description }) },
  });
  const boss = createAgent({
    ...common,
    name: "boss",
    model: asking({ calls: [call("lead")] }, "Bye."),
    tools: { lead: lead.asTool({ description }) },
    policy: { limits: { toolCalls: 5 } },
  });
  expect(await boss.run("go", { runId: "b" })).toMatchObject({ status: "partial", error: { code: "tool_call_limit" } });
  const ended = await boss.resume("b", { limits: { toolCalls: 10 } });
  expect(ended).toMatchObject({ status: "completed", usage: { toolCalls: 10 } });
  expect(toldBy(ended)).toEqual(["Led."]);
});

test("an agent has the tools it was given, and none of its caller's", async () => {
  const only = createAgent({ name: "only", model: byTurn({ calls: [call("act", {})] }, "Nothing done.") });
  const above: string[] = [];
  const own = tool({ description: "d", inputSchema: z.object({}), effect: "pay", execute: () => above.push("paid") });
  const tools = { only: only.asTool({ description: "d" }), act: own };
  const boss = createAgent({ name: "boss", model: byTurn({ calls: [call("only")] }, "Bye."), tools });
  expect(toldBy(await boss.run("go"))).toEqual(["Nothing done."]);
  expect(above).toEqual([]);
});
