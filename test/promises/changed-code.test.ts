// A resume by code that has changed since: what no longer fits stops the run with a clear code and costs nothing; a corrected prompt is a note.
import { type AgentOptions, createAgent, type Entry, memoryStore, type Stages, type Tool, tool } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const id = z.object({ id: z.string() });

function desk() {
  const acts: string[] = [];
  const model = scriptedModel((request) => (request.messages.some(({ role }) => role === "tool") ? "Done." : call));
  const act = (inputSchema: z.ZodType): Tool =>
    tool({ description: "d", effect: "send", inputSchema, execute: () => (acts.push("act"), "sent") });
  const options: AgentOptions = { name: "a", version: "1", clock: autoClock(), model, tools: { mail: act(id) } };
  return { acts, model, act, options };
}

const call = { calls: [{ name: "mail", arguments: { id: "1" } }] };

/** The run with its process gone right after the first entry that `last` is looking for. */
async function cutAfter(options: AgentOptions, last: (entry: Entry) => boolean) {
  const whole = memoryStore();
  await createAgent({ ...options, store: whole }).run("go", { runId: "r" });
  const lines = (await whole.journal.load("r")) ?? [];
  const store = memoryStore();
  const end = lines.findIndex((line) => last(JSON.parse(line)));
  expect(end).toBeGreaterThan(0);
  await store.journal.create({ runId: "r", agent: "a" }, lines.slice(0, end + 1));
  return store;
}

const isAsked = (entry: Entry) => entry.type === "step.done" && entry.kind === "model";

describe("a call that was asked for and not made", () => {
  test.each<[string, (act: (schema: z.ZodType) => Tool) => Record<string, Tool>]>([
    ["the tool is gone", () => ({})],
    ["the tool has another name", (act) => ({ send: act(id) })],
    ["the arguments do not fit the schema of now", (act) => ({ mail: act(z.object({ id: z.number() })) })],
  ])("stops the run when %s; the code it was begun with goes on", async (_, toolsOf) => {
    const { acts, model, act, options } = desk();
    const store = await cutAfter(options, isAsked);
    acts.length = 0;
    const asked = model.requests.length;
    const changed = createAgent({ ...options, store, tools: toolsOf(act) });
    for (const again of [1, 2]) {
      expect(await changed.resume("r"), `${again}`).toMatchObject({ status: "failed", resumable: true, error: { code: "step_diverged" } });
    }
    expect(acts).toEqual([]);
    expect(model.requests).toHaveLength(asked);
    expect(await createAgent({ ...options, store }).resume("r")).toMatchObject({ status: "completed" });
    expect(acts).toEqual(["act"]);
  });

  test("is made when the arguments fit another schema, too", async () => {
    const { acts, act, options } = desk();
    const store = await cutAfter(options, isAsked);
    acts.length = 0;
    const changed = createAgent({ ...options, store, tools: { mail: act(z.object({ id: z.string(), to: z.string().optional() })) } });
    expect(await changed.resume("r")).toMatchObject({ status: "completed" });
    expect(acts).toEqual(["act"]);
  });

  test.each<[string, object]>([
    ["a tool that never was", { name: "nope", arguments: {} }],
    ["arguments that never fitted", { name: "mail", arguments: { id: 1 } }],
  ])("is the model's mistake when it is of %s", async (_, wrong) => {
    const { options } = desk();
    const model = scriptedModel((request) =>
      request.messages.some(({ role }) => role === "tool") ? "Done." : { calls: [{ name: "", arguments: {}, ...wrong }] },
    );
    const store = await cutAfter({ ...options, model }, isAsked);
    expect(await createAgent({ ...options, model, store }).resume("r")).toMatchObject({ status: "completed" });
  });
});

const asking =
  (kind: "custom" | "tool", name: string): Stages["inputFilter"] =>
  async (run, _line, said) => {
    const perform = () => Promise.resolve({ status: "done" as const, value: 1 });
    const terms = { attempts: 1, timeoutMs: 0 };
    const span = () => ({ name, kind: "internal" as const, attributes: {} });
    const outcome = await run.step({ kind, key: "look", name, input: {}, repeat: "freely", terms, span, perform });
    return outcome.status === "done" ? { status: "done", value: said } : outcome;
  };

test.each([["kind", "tool", "look"] as const, ["name", "custom", "see"] as const])(
  "another %s at a key stops the run; the code it was begun with goes on",
  async (_, kind, name) => {
    const { options } = desk();
    const before = { ...options, stages: { inputFilter: asking("custom", "look") } };
    const store = await cutAfter(before, isAsked);
    const changed = createAgent({ ...options, store, stages: { inputFilter: asking(kind, name) } });
    expect(await changed.resume("r")).toMatchObject({ status: "failed", resumable: true, error: { code: "step_diverged" } });
    expect(await createAgent({ ...before, store }).resume("r")).toMatchObject({ status: "completed" });
  },
);

test.each<[string, Partial<AgentOptions>, string | undefined]>([
  ["other instructions", { instructions: "Be kind." }, "instructions"],
  [
    "another description of a tool",
    { tools: { mail: tool({ description: "other", inputSchema: id, execute: () => "sent" }) } },
    "turn-1/model/0",
  ],
  ["another version", { version: "2" }, undefined],
])("%s warn at most: the run goes on", async (_, change, key) => {
  const { options } = desk();
  const begun = { ...options, instructions: "Be brief." };
  const store = await cutAfter(begun, isAsked);
  const agent = createAgent({ ...begun, ...change, store });
  expect(await agent.resume("r")).toMatchObject({ status: "completed" });
  const entries = await agent.journal("r");
  expect(entries.flatMap((entry) => (entry.type === "note" ? [[entry.note, entry.key]] : []))).toEqual(
    key === undefined ? [] : [["input-changed", key]],
  );
  expect(entries.find(({ type }) => type === "run.resumed")).toMatchObject({ agentVersion: change.version ?? "1" });
});
