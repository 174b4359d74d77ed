// Forks: they begin with the very lines of another run, which they leave alone, go on under changed parts, and execute acts only when allowed.
import {
  type AgentOptions,
  createAgent,
  type Entry,
  type ForkOptions,
  fallback,
  memoryStore,
  modelRequests,
  route,
  type Store,
  tool,
} from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { newWorld, scenarios } from "./scenarios.ts";

const turnsOf = (entries: readonly Entry[]) =>
  entries.flatMap((entry) => (entry.type === "stage.done" && entry.key.endsWith("/executor") ? [entry.key.replace("/executor", "")] : []));

/** Acts, not reads, that a world has seen. */
const actsOf = (acts: readonly string[]) => acts.filter((act) => !/^(find|flaky|archive)/.test(act));

async function linesOf(store: Store, runId: string) {
  return (await store.journal.load(runId)) ?? [];
}

describe.each(scenarios)("$name", ({ input, options, resume }) => {
  const original = async () => {
    const store = memoryStore();
    const first = await createAgent({ ...options(newWorld()), store }).run(input, { runId: "r" });
    return { store, first, lines: await linesOf(store, "r") };
  };

  test.each(["plain", "streamed"] as const)("forked at each turn it goes on to the same end, with acts simulated: %s", async (how) => {
    const { store, first, lines } = await original();
    const entries = lines.map((line): Entry => JSON.parse(line));
    for (const at of ["start", ...turnsOf(entries)]) {
      const world = newWorld();
      const agent = createAgent({ ...options(world), store });
      const runId = `f-${how}-${at}`;
      const forking: ForkOptions = { at, effects: "simulate", runId, ...resume };
      const result = await (how === "plain" ? agent.fork("r", forking) : agent.forkStream("r", forking).result);
      expect(result.status, at).toBe(["partial", "suspended"].includes(first.status) ? "completed" : first.status);
      expect(actsOf(world.acts), at).toEqual([]);
      const own = await linesOf(store, runId);
      const copied = at === "start" ? 1 : entries.findIndex((entry) => entry.type === "stage.done" && entry.key === `${at}/executor`) + 1;
      expect(own.slice(1, copied), at).toEqual(lines.slice(1, copied));
      expect(JSON.parse(own[0] ?? ""), at).toMatchObject({ runId, origin: { runId: "r", at, effects: "simulate" } });
      const simulated = own.slice(copied).filter((line) => line.includes('"simulated":true'));
      expect(result.simulated?.length, at).toBe(simulated.length);
      expect(JSON.stringify(await agent.replay(runId)), at).toBe(JSON.stringify(result));
    }
    expect(await linesOf(store, "r")).toEqual(lines);
  });

  test("cut after each entry of its own part and resumed, a simulation stays one, and ends as it would have", async () => {
    const { store, lines } = await original();
    const at = turnsOf(lines.map((line): Entry => JSON.parse(line)))[0] ?? "start";
    const agent = createAgent({ ...options(newWorld()), store });
    const whole = await agent.fork("r", { at, effects: "simulate", runId: "f", ...resume });
    const own = await linesOf(store, "f");
    const begins = at === "start" ? 1 : own.findIndex((line) => line.includes('"run.resumed"')) + 1;
    for (let cut = begins; cut < own.length; cut++) {
      const crashed = memoryStore();
      await crashed.journal.create({ runId: "f", agent: "promises" }, own.slice(0, cut));
      const world = newWorld();
      const result = await createAgent({ ...options(world), store: crashed }).resume("f");
      expect(result.status, `cut after ${cut}`).toBe(whole.status);
      expect(result.messages, `cut after ${cut}`).toEqual(whole.messages);
      expect(result.simulated, `cut after ${cut}`).toEqual(whole.simulated);
      expect(actsOf(world.acts), `cut after ${cut}`).toEqual([]);
    }
  });
});

const id = z.object({ id: z.string() });
const call = (name: string) => ({ calls: [{ name, arguments: { id: "1" } }] });

function desk() {
  const acts: string[] = [];
  const store = memoryStore();
  const clock = autoClock();
  const find = tool({ description: "d", effect: "read", inputSchema: id, execute: () => "found" });
  const mail = tool({
    description: "d",
    effect: "send",
    inputSchema: id,
    execute: (_, { idempotencyKey }) => (acts.push(idempotencyKey), "sent"),
  });
  const model = scriptedModel((request) => {
    const turn = request.messages.filter(({ role }) => role === "assistant").length;
    return [call("find"), call("mail"), "Done."][turn] ?? "?";
  });
  const options: AgentOptions = { name: "a", store, clock, model, instructions: "Be brief.", tools: { find, mail } };
  return { acts, store, clock, model, find, mail, options };
}

describe("what a fork changes", () => {
  test("allowed, acts are executed under the fork's own key; the time since the original does not count", async () => {
    const { acts, clock, options } = desk();
    const agent = createAgent(options);
    const first = await agent.run("go", { runId: "r", user: { id: "anna" }, conversationId: "c" });
    await clock.advance(3_600_000);
    const result = await agent.fork("r", { at: "turn-1", effects: "allow", runId: "f" });
    expect(result).toMatchObject({ status: "completed", output: "Done.", usage: first.usage });
    expect(result).not.toHaveProperty("simulated");
    expect(result.timings.totalMs).toBeLessThan(1_000);
    expect(acts).toEqual(["a/r/turn-2/tool/0", "a/f/turn-2/tool/0"]);
    expect((await agent.journal("f"))[0]).toMatchObject({ user: { id: "anna" }, conversationId: "c" });
  });

  test("simulated, the model is told, the journal says so, and nobody waits for a doubt", async () => {
    const { acts, options } = desk();
    const agent = createAgent(options);
    await agent.run("go", { runId: "r" });
    const result = await agent.fork("r", { at: "turn-1", effects: "simulate", runId: "f" });
    expect(result.simulated).toEqual([{ tool: "mail", key: "turn-2/tool/0" }]);
    expect(result.messages.at(-2)).toMatchObject({ role: "tool", name: "mail", content: expect.stringContaining("not executed") });
    expect((await agent.journal("f")).find((entry) => entry.type === "step.done" && entry.name === "mail")).toMatchObject({
      attempts: 0,
      outcome: { ok: true, value: { simulated: true } },
    });
    expect(acts).toHaveLength(1);
  });

  test("a reading tool whose stand-in acts has its stand-in simulated", async () => {
    const { acts, options, mail } = desk();
    const find = tool({
      description: "d",
      effect: "read",
      inputSchema: id,
      retry: { attempts: 1 },
      fallback: mail,
      execute: () => Promise.reject(new Error("x")),
    });
    const agent = createAgent({ ...options, tools: { find, mail } });
    await agent.run("go", { runId: "r" });
    acts.length = 0;
    const result = await agent.fork("r", { at: "start", effects: "simulate" });
    expect(result.simulated?.map(({ key }) => key)).toEqual(["turn-1/tool/0/fallback", "turn-2/tool/0"]);
    expect(acts).toEqual([]);
  });

  test("model, instructions and tools are those given, from the fork on", async () => {
    const { options, find, mail, model } = desk();
    const agent = createAgent(options);
    await agent.run("go", { runId: "r" });
    const other = scriptedModel([call("note"), "Noted."], { id: "other" });
    const note = tool({ description: "d", effect: "read", inputSchema: id, execute: () => "noted" });
    const changes = { model: other, instructions: () => "Be kind.", tools: { find, mail, note } };
    const result = await agent.fork("r", { at: "turn-1", effects: "allow", runId: "f", ...changes });
    expect(result).toMatchObject({ status: "completed", output: "Noted." });
    const requests = modelRequests(await agent.journal("f"));
    expect(requests.map(({ model: name, request }) => [name, request.messages[0]?.content, request.tools.length])).toEqual([
      ["scripted", "Be brief.", 2],
      ["other", "Be kind.", 3],
      ["other", "Be kind.", 3],
    ]);
    expect(requests.slice(1).map(({ request }) => request.messages)).toEqual(other.requests.map(({ messages }) => messages));
    expect(requests[0]?.request).toEqual(model.requests[0]);

    const changed = createAgent({ ...options, ...changes, instructions: "Be kind.", model: scriptedModel([], { id: "other" }) });
    expect(JSON.stringify(await changed.replay("f"))).toBe(JSON.stringify(result));
    await expect(agent.replay("f")).rejects.toMatchObject({ code: "replay_diverged" });
  });

  test.each<[string, string | undefined, string, number]>([
    ["instructions where there were none", undefined, "Be kind.", 2],
    ["other instructions", "Be brief.", "Be kind.", 2],
  ])("%s are read by the model from there on, and the requests can be put together", async (_, before, instructions, calls) => {
    const { options, model } = desk();
    const { instructions: __, ...rest } = options;
    const agent = createAgent({ ...rest, ...(before === undefined ? {} : { instructions: before }) });
    await agent.run("go", { runId: "r" });
    const made = model.requests.length;
    await agent.fork("r", { at: "turn-1", effects: "simulate", runId: "f", instructions });
    const requests = modelRequests(await agent.journal("f")).slice(1);
    expect(requests).toHaveLength(calls);
    expect(requests.map(({ request }) => request.messages)).toEqual(model.requests.slice(made).map(({ messages }) => messages));
    expect(requests[0]?.request.messages[0]).toEqual({ role: "system", content: "Be kind." });
  });

  test.each(["a fallback", "a route"])("one model in place of %s does not ask the turns again that are in common", async (what) => {
    const { options, model } = desk();
    const barred = scriptedModel(() => new Error("down"), { id: "barred" });
    const several = fallback([barred, model]);
    const before = what === "a route" ? route({ tiers: { best: several, quick: model }, choose: () => "best" }) : several;
    const agent = createAgent({ ...options, model: before });
    await agent.run("go", { runId: "r" });
    const other = scriptedModel([call("mail"), "Other."], { id: "other" });
    for (const changed of [other, route({ tiers: { only: scriptedModel(["Other."], { id: "other" }) }, choose: () => "only" as const })]) {
      const result = await agent.fork("r", { at: "turn-1", effects: "simulate", model: changed });
      expect(result).toMatchObject({ status: "completed", output: "Other." });
    }
    expect(other.requests).toHaveLength(2);
  });

  test("at the start there is another input, and instructions are asked again", async () => {
    const { options } = desk();
    let times = 0;
    const agent = createAgent({ ...options, instructions: () => `Time ${(times += 1)}.` });
    await agent.run("go", { runId: "r" });
    const result = await agent.fork("r", { at: "start", effects: "simulate", input: "go on", runId: "f" });
    expect(result.messages[0]).toEqual({ role: "user", content: "go on" });
    expect((await agent.journal("f")).find((entry) => entry.type === "decided" && entry.key === "instructions")).toMatchObject({
      choice: "Time 2.",
    });
  });

  test("a run at its limit goes on in a fork that has more, or that does less", async () => {
    const { options } = desk();
    const agent = createAgent({ ...options, policy: { limits: { turns: 2 } } });
    expect(await agent.run("go", { runId: "r" })).toMatchObject({ status: "partial" });
    expect(await agent.fork("r", { at: "turn-2", effects: "simulate", limits: { turns: 5 } })).toMatchObject({ status: "completed" });
    expect(await agent.fork("r", { at: "turn-1", effects: "simulate", model: scriptedModel(["So."]) })).toMatchObject({ output: "So." });
  });
});

/** An agent as it is called from where nobody checks types. */
interface Loose {
  run(input: string, options: object): Promise<unknown>;
  fork(runId: string, options: object): Promise<unknown>;
  forkStream(runId: string, options: object): unknown;
}

describe("a fork is refused", () => {
  test.each<[string, object, string]>([
    ["without consent", { effects: undefined }, "input_invalid"],
    ["without a turn", { at: undefined }, "input_invalid"],
    ["with another input after the first turn", { input: "x" }, "input_invalid"],
    ["with an option it does not know", { turn: 1 }, "input_invalid"],
    ["with a model that is none", { model: {} }, "configuration_invalid"],
  ])("%s: thrown", async (_, options, code) => {
    const { options: given } = desk();
    const agent: Loose = createAgent(given);
    await agent.run("go", { runId: "r" });
    const asked = { at: "turn-1", effects: "allow" as const, ...options };
    await expect(agent.fork("r", asked)).rejects.toMatchObject({ code });
    expect(() => agent.forkStream("r", asked)).toThrow(expect.objectContaining({ code }));
  });

  test.each<[string, string, Partial<ForkOptions>, string]>([
    ["at a turn that gave the answer", "r", { at: "turn-3" }, "input_invalid"],
    ["at a turn there was not", "r", { at: "turn-9" }, "input_invalid"],
    ["without a tool it has called", "r", { tools: {} }, "input_invalid"],
    ["of a run that is not there", "s", {}, "run_not_found"],
    ["for another user", "r", { user: { id: "eve" } }, "run_id_conflict"],
    ["under an id that is taken", "r", { runId: "r" }, "run_id_conflict"],
    ["when its instructions throw", "r", { instructions: () => Promise.reject(new Error("x")) }, "stage_failed"],
  ])("%s: told by the result, and nothing is written", async (_, source, options, code) => {
    const { options: given, acts, store } = desk();
    const agent = createAgent(given);
    await agent.run("go", { runId: "r", user: { id: "anna" } });
    const result = await agent.fork(source, { at: "turn-1", effects: "allow", runId: "f", ...options });
    expect(result).toMatchObject({ status: "failed", resumable: false, error: { code } });
    expect(acts).toHaveLength(1);
    expect(await store.journal.load("f")).toBeUndefined();
  });

  test("asked for twice it is answered; asked for in another way it is somebody else's, and cut off it is gone on with", async () => {
    const { options, acts, store } = desk();
    const agent = createAgent(options);
    await agent.run("go", { runId: "r" });
    const forking: ForkOptions = { at: "turn-1", effects: "allow", runId: "f" };
    const first = await agent.fork("r", forking);
    expect(JSON.stringify(await agent.fork("r", forking))).toBe(JSON.stringify(first));
    expect(await agent.fork("r", { ...forking, effects: "simulate" })).toMatchObject({ error: { code: "run_id_conflict" } });
    expect(acts).toHaveLength(2);
    const crashed = memoryStore();
    for (const runId of ["r", "f"])
      await crashed.journal.create({ runId, agent: "a" }, (await linesOf(store, runId)).slice(0, runId === "f" ? 12 : 99));
    const restarted = createAgent({ ...options, store: crashed });
    expect(await restarted.fork("r", forking)).toMatchObject({ status: "completed" }); // gone on with
  });
});
