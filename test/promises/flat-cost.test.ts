// Promise 10: what a step costs does not grow with the steps before it, in bytes written and in what is recorded of the conversation.
import { createAgent, memoryStore, type Store, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const turns = 60;

/** A store that remembers how many bytes each append brought, by the turn it was for. */
function weighing() {
  const store = memoryStore();
  const bytes = new Map<string, number>();
  const journal: Store["journal"] = {
    ...store.journal,
    append: (runId, at, lines, phase) => {
      for (const line of lines) {
        const turn = /"key":"turn-(\d+)\//.exec(line)?.[1];
        if (turn) bytes.set(turn, (bytes.get(turn) ?? 0) + line.length);
      }
      return store.journal.append(runId, at, lines, phase);
    },
  };
  return { store: { journal }, bytes };
}

const pass = { name: "g", check: () => ({ verdict: "pass" as const }) };
const everywhere = { input: [pass], toolInput: [pass], toolOutput: [pass], output: [pass] };

test.each([
  ["without guardrails", {}],
  ["with guardrails everywhere", everywhere],
])("%s the last turn writes no more than the eleventh, and each message stands in the journal once", async (_, guardrails) => {
  const say = (turn: number) => `thought-${String(turn).padStart(3, "0")}`;
  const echo = tool({ description: "d", effect: "read", inputSchema: z.object({ n: z.string() }), execute: ({ n }) => `result-${n}` });
  const model = scriptedModel((_request, _context, call) => {
    const n = String(call).padStart(3, "0");
    return call > turns ? "done" : { text: say(call), calls: [{ name: "echo", arguments: { n }, callId: "c" }] };
  });
  const { store, bytes } = weighing();
  const agent = createAgent({
    name: "a",
    store,
    model,
    tools: { echo },
    guardrails,
    policy: { limits: { turns: 99, toolCalls: 99 } },
    instructions: "the-instructions",
  });
  expect(await agent.run("the-question", { runId: "r" })).toMatchObject({ status: "completed" });

  // From turn 11 on, when numbers of turns have two digits, also in what refers to the turn before.
  const perTurn = [...bytes].filter(([turn]) => Number(turn) > 10 && Number(turn) < turns).map(([, count]) => count);
  expect(new Set(perTurn).size).toBe(1);

  const whole = ((await store.journal.load("r")) ?? []).join("\n");
  const times = (text: string) => whole.split(text).length - 1;
  for (const text of ["the-question", "the-instructions", say(1), say(30), "result-001", "result-030", "result-059"])
    expect(times(text), text).toBe(1);
});

test("a request begins with exactly the messages of the one before", async () => {
  const find = tool({ description: "d", effect: "read", inputSchema: z.object({}), execute: () => "x" });
  const ask = { calls: [{ name: "find", arguments: {} }] };
  const model = scriptedModel([ask, ask, "done"]);
  await createAgent({ name: "a", model, tools: { find } }).run("go");
  const [first, second, third] = model.requests.map(({ messages }) => JSON.stringify(messages).slice(0, -1));
  expect(second?.startsWith(first ?? "-")).toBe(true);
  expect(third?.startsWith(second ?? "-")).toBe(true);
});

test("tools are told in one order, however they were listed", async () => {
  const t = tool({ description: "d", inputSchema: z.object({}), execute: () => "" });
  const [one, other] = [scriptedModel(["x"]), scriptedModel(["x"])];
  await createAgent({ name: "a", model: one, tools: { b: t, a: t, c: t } }).run("go");
  await createAgent({ name: "a", model: other, tools: { c: t, b: t, a: t } }).run("go");
  expect(JSON.stringify(one.requests[0]?.tools)).toBe(JSON.stringify(other.requests[0]?.tools));
});
