// Promise 3 when the agent changed between a stop and its resume: what was begun is looked up, never forgotten and never made anew.
import { AgentError, type AgentOptions, createAgent, type Guardrail, type Middleware, memoryStore, type Tool, tool } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const empty = z.object({});
const lost = () => Promise.reject(Object.assign(new Error("x"), { code: "ECONNRESET" }));
const calls = (...names: string[]) => ({ calls: names.map((name) => ({ name, arguments: {} })) });
const doubt = { status: "suspended", waitingFor: [{ kind: "in-doubt" }] };

const rule = (verdict: "block" | "escalate", only?: string): Guardrail => ({
  name: "rule",
  check: (subject) => (only === undefined || subject.tool === only ? { verdict, message: "no" } : { verdict: "pass" }),
});

/** An act whose connection is lost; what looking it up says can be changed. */
function lostAct() {
  const said: { word: "unknown" | "done" | "not-done" } = { word: "unknown" };
  const acts: string[] = [];
  const act = tool({
    description: "d",
    effect: "pay",
    inputSchema: empty,
    execute: () => (acts.push("pay"), lost()),
    reconcile: () => (said.word === "done" ? { status: "done", output: "paid" } : { status: said.word }),
  });
  return { said, acts, act };
}

const base = (names: readonly string[]): AgentOptions => ({
  name: "a",
  store: memoryStore(),
  clock: autoClock(),
  model: scriptedModel([calls(...names), "done"]),
});

describe("an act in doubt that a new rule refuses", () => {
  test.each([
    ["done", "paid"],
    ["not-done", "guardrail_blocked"],
  ] as const)("is looked up: %s", async (word, told) => {
    const { said, acts, act } = lostAct();
    const options = { ...base(["pay"]), tools: { pay: act } };
    expect(await createAgent(options).run("go", { runId: "r" })).toMatchObject(doubt);
    const stricter = createAgent({ ...options, guardrails: { toolInput: [rule("block")] } });
    expect(await stricter.resume("r")).toMatchObject(doubt);
    said.word = word;
    const result = await stricter.resume("r");
    expect(result.status).toBe("completed");
    expect(JSON.stringify(result.messages)).toContain(told);
    expect(acts).toEqual(["pay"]);
  });

  test("nor handed to a person to allow, once it is known to be done", async () => {
    const { said, act } = lostAct();
    const options = { ...base(["pay"]), tools: { pay: act } };
    await createAgent(options).run("go", { runId: "r" });
    said.word = "done";
    const result = await createAgent({ ...options, guardrails: { toolInput: [rule("escalate")] } }).resume("r");
    expect(result).toMatchObject({ status: "completed", findings: [{ verdict: "escalate" }] });
  });
});

test.each(["new", "gone"])("a lookup by another input than was sent settles nothing: the rewriting rule is %s on resume", async (which) => {
  const booked: string[] = [];
  let up = false;
  const pay = tool({
    description: "d",
    effect: "pay",
    inputSchema: z.object({ to: z.string() }),
    execute: ({ to }) => (booked.push(to), up ? "paid" : lost()),
    reconcile: ({ to }) => {
      if (!up) return { status: "unknown" };
      return booked.includes(to) ? { status: "done", output: "paid" } : { status: "not-done" };
    },
  });
  const rewrite: Guardrail = { name: "iban", check: ({ text }) => ({ verdict: "rewrite", text: text.replace("2 3", "23") }) };
  const plain = {
    ...base([]),
    model: scriptedModel([{ calls: [{ name: "pay", arguments: { to: "DE12 3456" } }] }, "done"]),
    tools: { pay },
  };
  const ruled = { ...plain, guardrails: { toolInput: [rewrite] } };
  const [first, second] = which === "new" ? [plain, ruled] : [ruled, plain];
  expect(await createAgent(first).run("go", { runId: "r" })).toMatchObject(doubt);
  up = true;
  expect(await createAgent(second).resume("r")).toMatchObject(doubt);
  expect(booked).toHaveLength(1);
  expect(await createAgent(first).resume("r")).toMatchObject({ status: "completed" });
  expect(booked).toHaveLength(1);
});

test.each(["gone", "another"])("a fallback in doubt is not forgotten when it is %s on resume", async (which) => {
  const acts: string[] = [];
  const standIn = (execute: () => string | Promise<string>): Tool => tool({ description: "d", effect: "pay", inputSchema: empty, execute });
  const byPhone = () => (acts.push("phone"), lost());
  const byMail = () => (acts.push("mail"), "queued");
  const pay = (fallback?: Tool) =>
    tool({
      description: "d",
      effect: "pay",
      inputSchema: empty,
      ...(fallback ? { fallback } : {}),
      execute: () => Promise.reject(new Error("down")),
    });
  const options = base(["pay"]);
  const first = createAgent({ ...options, tools: { pay: pay(standIn(byPhone)) } });
  expect(await first.run("go", { runId: "r" })).toMatchObject(doubt);
  const other = createAgent({ ...options, tools: { pay: which === "gone" ? pay() : pay(standIn(byMail)) } });
  expect(await other.resume("r")).toMatchObject({ status: "failed", resumable: true, error: { code: "step_diverged" } });
  expect(acts).toEqual(["phone"]);
  expect(await first.resume("r")).toMatchObject(doubt);
});

test.each(["pay", "unknown"])("a tool named %s that is gone leaves its act in doubt", async (name) => {
  const { act } = lostAct();
  const options = base([name]);
  await createAgent({ ...options, tools: { [name]: act } }).run("go", { runId: "r" });
  expect(await createAgent({ ...options, tools: {} }).resume("r")).toMatchObject({ status: "failed", error: { code: "step_diverged" } });
  expect(await createAgent({ ...options, tools: { [name]: act } }).resume("r")).toMatchObject(doubt);
});

test.each(["the tool's error", "middleware"])("a result with the code of a refusal passes the guardrails of results: %s", async (how) => {
  const { said, act } = lostAct();
  const error = new AgentError("guardrail_blocked", "SECRET", { details: { told: true } });
  const look = tool({
    description: "d",
    effect: "read",
    inputSchema: empty,
    execute: (): unknown => (how === "middleware" ? "x" : Promise.reject(error)),
  });
  const around: Middleware["tool"] = (info, next) =>
    how === "middleware" && info.tool === "look" ? Promise.resolve({ status: "failed", error }) : next();
  const secret: Guardrail = {
    name: "secret",
    check: ({ text }) => (text.includes("SECRET") ? { verdict: "block", message: "no" } : { verdict: "pass" }),
  };
  const options = { ...base(["look", "pay"]), tools: { look, pay: act }, use: [{ tool: around }] };
  const first = await createAgent({ ...options, guardrails: { toolOutput: [secret] } }).run("go", { runId: "r" });
  expect(first).toMatchObject(doubt);
  said.word = "done";
  const stricter = createAgent({ ...options, guardrails: { toolOutput: [secret], toolInput: [rule("block", "look")] } });
  const result = await stricter.resume("r");
  expect(result.status).toBe("completed");
  expect(JSON.stringify([first, result.messages])).not.toContain("SECRET");
});
