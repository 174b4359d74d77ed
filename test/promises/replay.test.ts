// Promise 7: a replay touches nothing, writes nothing and comes to the very result; whatever the code takes differently is named.
import { AgentError, type AgentOptions, createAgent, exportRun, importRun, memoryStore, route, type Stages, tool } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { record, recordedRuns, untouchable } from "./recorded-runs.ts";
import { newWorld } from "./scenarios.ts";

describe.each(recordedRuns)("$name", (run) => {
  test.each(["plain", "streamed"] as const)("is replayed as it was, and nothing is touched: %s", async (how) => {
    const { store, result, lines } = await record(run, how);
    expect(result.status).toBe(run.ends);
    const { agent, touched } = untouchable(run.options(newWorld(), new AbortController()), lines);
    const again = await agent.replay("r");
    expect(JSON.stringify(again)).toBe(JSON.stringify(result));
    expect(touched).toEqual([]);
    expect(await store.journal.load("r")).toEqual(lines);
  });

  test("is replayed from a file, without the store", async () => {
    const { store, result, lines } = await record(run, "plain");
    const options = run.options(newWorld(), new AbortController());
    const text = exportRun(await createAgent({ ...options, store }).journal("r"));
    expect(text).toBe(lines.map((line) => `${line}\n`).join(""));
    const elsewhere = createAgent(options);
    expect(JSON.stringify(await elsewhere.replay(importRun(text)))).toBe(JSON.stringify(result));
    await expect(elsewhere.journal("r")).rejects.toMatchObject({ code: "run_not_found" });
  });
});

const id = z.object({ id: z.string() });
const find = (inputSchema: z.ZodType = id) => tool({ description: "d", effect: "read", inputSchema, execute: () => "found" });
const script = () => scriptedModel([{ calls: [{ name: "find", arguments: { id: "SECRET" } }] }, "It is found."]);
const base = (): AgentOptions => ({
  name: "a",
  model: script(),
  instructions: "SECRET",
  tools: { find: find() },
  clock: autoClock(),
});

const appending =
  (text: string): Stages["context"] =>
  (_, line, said) => {
    line.thread.add(said);
    if (text) line.thread.add({ role: "user", content: text });
    return Promise.resolve({ status: "done", value: null });
  };

const asking =
  (key: string): Stages["inputFilter"] =>
  async (run, _line, said) => {
    const perform = () => Promise.resolve({ status: "done" as const, value: 1 });
    const terms = { attempts: 1, timeoutMs: 0 };
    const span = () => ({ name: key, kind: "internal" as const, attributes: {} });
    const outcome = await run.step({ kind: "custom", key, name: "ask", input: {}, repeat: "freely", terms, span, perform });
    return outcome.status === "done" ? { status: "done", value: said } : outcome;
  };

describe("a replay names what the code takes differently:", () => {
  const changes: readonly [string, Partial<AgentOptions>, Partial<AgentOptions>, string, readonly string[] | undefined][] = [
    ["another model", {}, { model: scriptedModel([], { id: "other" }) }, "turn-1/model/0", undefined],
    ["other settings", {}, { settings: { temperature: 0.5 } }, "offer/", ["offer/settings/temperature"]],
    ["other instructions", {}, { instructions: "SECRET TOO" }, "instructions", ["choice"]],
    [
      "another schema",
      {},
      { tools: { find: find(z.object({ id: z.number() })) } },
      "offer/",
      ["offer/tools/0/inputSchema/properties/id/type"],
    ],
    ["a tool gone", {}, { tools: {} }, "offer/", ["offer/tools/0"]],
    [
      "another conversation",
      { stages: { context: appending("") } },
      { stages: { context: appending("SECRET") } },
      "turn-1/model/0",
      ["input/messages/1"],
    ],
    ["a step more", {}, { stages: { inputFilter: asking("look") } }, "look", undefined],
    ["a step less", { stages: { inputFilter: asking("look") } }, {}, "look", undefined],
    ["a step at another key", { stages: { inputFilter: asking("look") } }, { stages: { inputFilter: asking("see") } }, "see", undefined],
    [
      "a guardrail more",
      {},
      { guardrails: { output: [{ name: "g", check: () => ({ verdict: "pass" }) }] } },
      "turn-2/output-filter",
      undefined,
    ],
    ["a guardrail less", { guardrails: { input: [{ name: "g", check: () => ({ verdict: "pass" }) }] } }, {}, "input-filter", undefined],
    ["another end", {}, { stages: { outputFilter: () => Promise.resolve({ status: "done", value: "SECRET" }) } }, "end", undefined],
  ];

  test.each(changes)("%s", async (_, before, after, key, paths) => {
    const store = memoryStore();
    await createAgent({ ...base(), ...before, store }).run("go", { runId: "r" });
    const lines = await store.journal.load("r");
    const replaying = createAgent({ ...base(), ...after, store }).replay("r");
    const error: unknown = await replaying.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "replay_diverged", details: { key: expect.stringContaining(key) } });
    if (!AgentError.is(error)) return;
    expect(error.details["paths"]).toEqual(paths);
    expect(error.message).toContain(`differs at ${key}`);
    expect(JSON.stringify(error)).not.toContain("SECRET");
    expect(await store.journal.load("r")).toEqual(lines);
    await expect(createAgent({ ...base(), ...before, store }).replay("r")).resolves.toMatchObject({ status: "completed" });
  });

  test("also a model that a fallback has passed over", async () => {
    const run = recordedRuns.find(({ name }) => name.startsWith("no model up"));
    if (!run) throw new Error("no such run");
    const { lines } = await record(run, "plain");
    const other = lines.map((line) => line.replaceAll('"name":"second"', '"name":"third"'));
    const agent = createAgent(run.options(newWorld(), new AbortController()));
    await expect(agent.replay(importRun(other.join("\n")))).rejects.toMatchObject({
      code: "replay_diverged",
      details: { key: "turn-1/model/1" },
    });
  });
});

const start = JSON.stringify({ type: "run.started", at: 1, format: 1, runId: "r", agent: "a", agentVersion: "0", input: "go", caps: {} });

test("a route that is gone is a difference, though the model is the same", async () => {
  const model = script();
  const routed = { ...base(), model: route({ tiers: { best: model }, choose: () => "best" as const }), store: memoryStore() };
  await createAgent(routed).run("go", { runId: "r" });
  await expect(createAgent({ ...routed, model }).replay("r")).rejects.toMatchObject({
    code: "replay_diverged",
    details: { key: "turn-1/route" },
  });
});

describe("what cannot be replayed is said:", () => {
  test("a run that is not over, not there, or somebody else's", async () => {
    const store = memoryStore();
    const agent = createAgent({ ...base(), store });
    await agent.run("go", { runId: "r" });
    const entries = await agent.journal("r");
    await expect(agent.replay(entries.slice(0, -1))).rejects.toMatchObject({ code: "run_active" });
    await expect(agent.replay("nowhere")).rejects.toMatchObject({ code: "run_not_found" });
    await expect(createAgent({ ...base(), name: "b", store }).replay("r")).rejects.toMatchObject({ code: "run_id_conflict" });
    await expect(agent.replay("")).rejects.toMatchObject({ code: "input_invalid" });
  });

  test.each([
    ["", "journal_corrupt"],
    ["{}\n", "journal_corrupt"],
    ['{"type":"run.ended","at":1,"status":"completed"}\n', "journal_corrupt"],
    ['{"type":"run.started","at":1,"format":1}\n', "journal_corrupt"],
    ['{"type":"run.started","at":1,"format":2}\n', "journal_format_unknown"],
    [`${start}\n\n${start}\n`, "journal_corrupt"],
    [`${start}\n${start}\n`, "journal_corrupt"],
    [start.replace('"caps":{}', '"caps":null'), "journal_corrupt"],
    [`${start}\n{"type":"stage.done","at":1,"key":5,"startedAt":1}`, "journal_corrupt"],
    [`${start}\n{"type":"step.done","at":1,"key":"k","kind":"tool","name":"n","attempts":1,"outcome":null}`, "journal_corrupt"],
  ])("a file that holds no run: %j", (text, code) => {
    expect(() => importRun(text)).toThrow(expect.objectContaining({ code }));
  });

  test("a file that begins with a mark of its byte order is read", () => {
    expect(importRun(`\uFEFF${start}\n`)).toHaveLength(1);
  });
});
