// Promise 1: what a budget cannot afford is not done. Nothing is sent, nothing is held, and what was done is not done again when there is more.
import {
  AgentError,
  type AgentOptions,
  createAgent,
  type Entry,
  type ModelRequest,
  memoryStore,
  type RunResult,
  type Store,
  tool,
} from "airworthy";
import { openai } from "airworthy/openai";
import { autoClock, hang, type Script, type ScriptedReply, type SimulatedReply, scriptedModel, simulatedProvider } from "airworthy/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

let store: Store;
beforeEach(() => void (store = memoryStore()));

const user = { id: "ann", tenant: "acme" };
const call = (name: string, argument: object = {}) => ({ name, arguments: argument });
const inputSchema = z.object({ n: z.number().optional(), task: z.string().optional() });

/** A tool that costs, and how often it was asked. */
function paid(cost: number) {
  const acts: unknown[] = [];
  const execute = ({ n }: { n?: number | undefined }) => acts.push(n);
  return { acts, tool: tool({ description: "d", effect: "write", inputSchema, cost, execute }) };
}

type Budget = NonNullable<NonNullable<AgentOptions["policy"]>["budget"]>;

/** Ten dollars per million of either token: 10,000 nano-dollars each. */
const price = { input: 10, output: 10 };

function agentOf(script: Script, budget: Budget, more: Partial<AgentOptions> = {}) {
  const model = scriptedModel(script);
  const agent = createAgent({
    name: "budgeted",
    model,
    store,
    clock: autoClock(),
    settings: { maxOutputTokens: 100 },
    prices: { scripted: price },
    policy: { budget: { wrapUp: false, minOutputTokens: 20, ...budget } },
    ...more,
  });
  return { agent, model };
}

const errorIn = (result: RunResult<unknown>) => ("error" in result ? result.error : undefined);
const entriesOf = async (runId: string): Promise<readonly Entry[]> =>
  ((await store.journal.load(runId)) ?? []).map((line) => JSON.parse(line));
const typesOf = async (runId: string) => (await entriesOf(runId)).map(({ type }) => type);

async function standing(key: string) {
  const [state] = await store.counters!.read([key]);
  return state;
}
const usdOfUser = () => standing("usd/user/acme/ann/ever/ever");

describe("nothing", () => {
  test.each([{ usd: 0 }, { tokens: 0 }, { calls: 0 }])("is admitted by %o", async (limit) => {
    for (const budget of [{ user: limit }, { run: limit }, { global: limit }]) {
      store = memoryStore();
      const { agent, model } = agentOf(["Hello."], budget);
      const result = await agent.run("hi", { runId: "r", user });
      expect(result).toMatchObject({ status: "refused", resumable: true, error: { code: "budget_exceeded" }, cost: { usd: 0 } });
      expect(errorIn(result)?.details).toMatchObject({ limit: 0, spent: 0, reserved: 0 });
      expect(model.calls).toBe(0);
      expect(await typesOf("r")).not.toContain("attempt.started");
      expect(await store.counters!.open("")).toEqual([]);
    }
  });
});

test("$0.90 of $1.00 spent, 5 calls side by side of at most $0.06: one is made, four are refused", async () => {
  const first = paid(0.9);
  const cheap = paid(0.06);
  const free = { scripted: { input: 0, output: 0 } };
  const tools = { big: first.tool, cheap: cheap.tool };
  const five = { calls: [1, 2, 3, 4, 5].map((n) => call("cheap", { n })) };
  const before = agentOf([{ calls: [call("big")] }, "Spent."], { user: { usd: 1 } }, { tools, prices: free });
  expect(await before.agent.run("go", { user })).toMatchObject({ status: "completed", cost: { usd: 0.9 } });

  const { agent, model } = agentOf([five, "Done."], { user: { usd: 1 } }, { tools, prices: free });
  const result = await agent.run("go", { runId: "r", user });
  expect(result).toMatchObject({ status: "partial", resumable: true, cost: { usd: 0.06 }, finished: ["cheap"] });
  expect(errorIn(result)).toMatchObject({
    code: "budget_exceeded",
    details: { scope: "user", measure: "usd", limit: 1, spent: 0.9, reserved: 0.06, requested: 0.06 },
  });
  expect([cheap.acts.length, model.calls]).toEqual([1, 1]);
  expect((await entriesOf("r")).filter((entry) => entry.type === "attempt.started" && entry.kind === "tool")).toHaveLength(1);
  expect(await usdOfUser()).toEqual({ used: 960_000_000, held: 0 });
});

test("a raised cap lets a stopped run go on, and what is done is not done again", async () => {
  const act = paid(0.06);
  const script: Script = ({ messages }) =>
    messages.some(({ role }) => role === "tool") ? "Done." : { calls: [1, 2, 3].map((n) => call("act", { n })) };
  const { agent, model } = agentOf(
    script,
    { run: { usd: 0.1 } },
    { tools: { act: act.tool }, prices: { scripted: { input: 0, output: 0 } } },
  );
  expect(await agent.run("go", { runId: "r", user })).toMatchObject({ status: "partial", cost: { usd: 0.06 } });
  expect(await agent.resume("r", { budget: { usd: 0.13 } })).toMatchObject({ status: "partial", cost: { usd: 0.12 } });
  expect(await agent.resume("r", { budget: { usd: 1 } })).toMatchObject({ status: "completed", output: "Done.", cost: { usd: 0.18 } });
  expect(new Set(act.acts)).toEqual(new Set([1, 2, 3]));
  expect(act.acts).toHaveLength(3);
  expect(model.calls).toBe(2);
});

describe("a run within a run", () => {
  const family = (cap: number, expertReplies: Script) => {
    const dear = scriptedModel(expertReplies, { id: "dear" });
    const dearExpert = createAgent({
      name: "expert",
      model: dear,
      store,
      clock: autoClock(),
      settings: { maxOutputTokens: 100 },
      prices: { dear: { input: 0, output: 600 } },
    });
    const script: Script = ({ messages }) =>
      messages.some(({ role }) => role === "tool") ? "Done." : { calls: [call("ask", { task: "one" }), call("ask", { task: "two" })] };
    const desk = agentOf(
      script,
      { run: { usd: cap } },
      { tools: { ask: dearExpert.asTool({ description: "Knows." }) }, prices: { scripted: { input: 0, output: 0 } } },
    );
    return { ...desk, dear };
  };

  test("over the cap of the one above is refused before anything is sent, and the one above is partial", async () => {
    const { agent, dear, model } = family(0.01, () => "Found.");
    const result = await agent.run("go", { runId: "r", user });
    expect(result).toMatchObject({ status: "partial", resumable: true, cost: { usd: 0 } });
    expect(errorIn(result)).toMatchObject({ code: "budget_exceeded", details: { scope: "run", limit: 0.01, spent: 0, reserved: 0 } });
    expect([dear.calls, model.calls]).toEqual([0, 1]);
  });

  test("shares that cap with the one beside it", async () => {
    const usage = { inputTokens: 10, outputTokens: 100 };
    const { agent, dear } = family(0.07, () => ({ text: "Found.", usage }));
    const result = await agent.run("go", { runId: "r", user });
    expect(result).toMatchObject({ status: "partial", cost: { usd: 0.06 } });
    expect(dear.calls).toBe(1);
    expect(await agent.resume("r", { budget: { usd: 0.2 } })).toMatchObject({ status: "completed", cost: { usd: 0.12 } });
    expect(dear.calls).toBe(2);
  });
});

test("refused at the start, the same id may start later", async () => {
  const poor = agentOf(["Hello."], { user: { calls: 0 } });
  expect(await poor.agent.run("hi", { runId: "r", user })).toMatchObject({ status: "refused", resumable: true });
  expect(await poor.agent.run("hi", { runId: "r", user })).toMatchObject({ status: "refused", resumable: true });
  expect(await typesOf("r")).not.toContain("attempt.started");
  const rich = agentOf(["Hello."], { user: { calls: 1 } });
  expect(await rich.agent.run("hi", { runId: "r", user })).toMatchObject({ status: "completed", output: "Hello." });
  expect([poor.model.calls, rich.model.calls]).toEqual([0, 1]);
});

test("several scopes are held together or not at all", async () => {
  const { agent, model } = agentOf(["Hello."], { user: { usd: 1 }, tenant: { usd: 1, tokens: 100_000 }, global: { usd: 0.0002 } });
  const result = await agent.run("hi", { runId: "r", user });
  expect(errorIn(result)?.details).toMatchObject({ scope: "global" });
  expect([model.calls, await store.counters!.open("")]).toEqual([0, []]);
  for (const key of ["usd/user/acme/ann/ever/ever", "usd/tenant/acme/ever/ever", "tokens/tenant/acme/ever/ever", "usd/global/ever/ever"])
    expect(await standing(key)).toEqual({ used: 0, held: 0 });
});

describe("what an attempt counts as", () => {
  const lost = () => new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });
  const costs = async () =>
    (await entriesOf("r")).flatMap((entry) => ("cost" in entry && entry.cost ? [[entry.type, entry.cost.basis, entry.cost.nanoUsd]] : []));
  const reservedIn = async () =>
    (await entriesOf("r")).flatMap((entry) => (entry.type === "attempt.started" ? [entry.reserved?.nanoUsd] : []));

  test("of unknown usage: all that was set aside, and it is marked", async () => {
    const { agent } = agentOf([{ text: "Hello.", usage: null }], { user: { usd: 1 } });
    const { cost } = await agent.run("hi", { runId: "r", user });
    const [reserved = 0] = await reservedIn();
    expect(cost.usd).toBeGreaterThan(0.001);
    expect(cost.unconfirmedUsd).toBe(cost.usd);
    expect(Math.abs((await usdOfUser())!.used - reserved)).toBeLessThanOrEqual(1);
    expect(await costs()).toMatchObject([["step.done", "reserved", (await usdOfUser())?.used]]);
  });

  test.each<[string, Error, boolean]>([
    ["HTTP 429", new AgentError("rate_limited", "Slow.", { details: { status: 429 } }), true],
    ["HTTP 500", new AgentError("provider_unavailable", "Down.", { details: { status: 500 } }), true],
    ["a broken connection", lost(), false],
  ])("%s before an answer", async (_, failure, isFree) => {
    const replies: ScriptedReply = (_request, { attempt }) => (attempt === 1 ? failure : "Hello.");
    const { agent } = agentOf(() => replies, { user: { usd: 1 } }, { resilience: { retry: { attempts: 2 } } });
    const result = await agent.run("hi", { runId: "r", user });
    expect(result).toMatchObject({ status: "completed" });
    const [failed] = await costs();
    expect(failed?.slice(0, 2)).toEqual(["attempt.failed", isFree ? "reported" : "reserved"]);
    if (isFree) expect(failed?.[2]).toBe(0);
    else expect(Number(failed?.[2])).toBeGreaterThan(1_000_000);
    expect(result.cost.unconfirmedUsd > 0).toBe(!isFree);
    expect(result.cost.usd).toBeCloseTo((Number(failed?.[2]) + 150_000) / 1e9, 9);
  });

  test("a time-out: in full", async () => {
    const clock = autoClock();
    const replies: ScriptedReply = (_request, { attempt }) => {
      if (attempt > 1) return "Hello.";
      void clock.advance(120_000);
      return hang();
    };
    const { agent } = agentOf(() => replies, { user: { usd: 1 } }, { clock });
    const { cost } = await agent.run("hi", { runId: "r", user, timeouts: { totalMs: 600_000 } });
    expect(cost.unconfirmedUsd).toBeGreaterThan(0.001);
  });

  test("more than was set aside: all of it, said, and more is set aside from then on", async () => {
    const usage = { inputTokens: 60, outputTokens: 100 };
    const { agent } = agentOf(() => ({ text: "Hello.", usage }), { user: { usd: 1 } });
    const first = await agent.run("hi", { runId: "r", user });
    expect(first.cost).toMatchObject({ usd: 0.0016, unconfirmedUsd: 0 });
    expect((await entriesOf("r")).filter((entry) => entry.type === "note")).toMatchObject([{ note: "budget-overrun" }]);
    const [before = 0] = await reservedIn();
    await agent.run("hi", { runId: "r2", user });
    const again = (await entriesOf("r2")).find((entry) => entry.type === "attempt.started");
    expect(again?.type === "attempt.started" ? again.reserved?.nanoUsd : 0).toBeGreaterThan(Math.max(before, 1_600_000));
    expect((await entriesOf("r2")).filter((entry) => entry.type === "note")).toEqual([]);
    expect(await usdOfUser()).toEqual({ used: 3_200_000, held: 0 });
  });
});

describe("an answer", () => {
  const asked = (requests: readonly ModelRequest[]) => requests.map(({ settings }) => settings.maxOutputTokens);

  test("may be as long as the tightest budget affords", async () => {
    const { agent, model } = agentOf(["Hello."], { user: { usd: 1 }, tenant: { tokens: 80 } });
    const result = await agent.run("hi", { runId: "r", user });
    expect(result).toMatchObject({ status: "completed" });
    const [started] = (await entriesOf("r")).filter((entry) => entry.type === "attempt.started");
    const most = started?.type === "attempt.started" ? started.reserved : undefined;
    expect(most?.tokens).toBe(80);
    expect(asked(model.requests)).toEqual([most?.maxOutputTokens]);
    expect(most?.maxOutputTokens).toBeLessThan(100);
  });

  test("that could not be long enough to be of use is not asked for", async () => {
    const { agent, model } = agentOf(["Hello."], { user: { tokens: 30 }, minOutputTokens: 50 });
    expect(await agent.run("hi", { user })).toMatchObject({ status: "refused", error: { details: { measure: "tokens", limit: 30 } } });
    expect(model.calls).toBe(0);
  });
});

test("at four fifths of a cap it is said, once", async () => {
  const act = paid(0.4);
  const script: Script = ({ messages }) => {
    const turn = messages.filter(({ role }) => role === "assistant").length;
    return turn < 4 ? { calls: [call("act", { n: turn })] } : "Done.";
  };
  const { agent } = agentOf(script, { user: { usd: 2 } }, { tools: { act: act.tool } });
  await agent.run("go", { runId: "r", user });
  const near = (await entriesOf("r")).filter((entry) => entry.type === "note" && entry.note === "budget-near");
  expect(near).toMatchObject([{ detail: { scope: "user", measure: "usd", limit: 2 } }]);
  expect(act.acts).toHaveLength(4);
});

test("what a process that died had set aside counts as spent until the run is gone on with", async () => {
  const never = agentOf(() => new Promise<ScriptedReply>(() => {}), { user: { usd: 0.003 } });
  void never.agent.run("hi", { runId: "r", user });
  while ((await usdOfUser())?.held === 0) await Promise.resolve();
  while (!(await typesOf("r")).includes("attempt.started")) await Promise.resolve();
  const held = (await usdOfUser())?.held ?? 0;
  expect(held).toBeGreaterThan(1_000_000);
  const next = agentOf(() => "Hello.", { user: { usd: 0.003 } });
  const other = await agentOf(() => "Hello.", { user: { usd: 0.0013 } }).agent.run("hi", { runId: "other", user });
  expect(other).toMatchObject({ status: "refused", error: { details: { scope: "user", spent: 0, reserved: held / 1e9 } } });
  expect((await usdOfUser())!.held).toBe(held);
  expect(await next.agent.resume("r")).toMatchObject({ status: "completed" });
  expect((await usdOfUser())?.held).toBe(0);
});

test("what an owner sets aside who has lost the run is given back", async () => {
  const asking = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const slow: Store = {
    ...store,
    counters: {
      ...store.counters!,
      reserve: async (...asked) => {
        asking.resolve();
        await go.promise;
        return store.counters!.reserve(...asked);
      },
    },
  };
  const displaced = agentOf(["Hello."], { user: { usd: 1 } }, { store: slow });
  const running = displaced.agent.run("hi", { runId: "r", user });
  await asking.promise;
  const other = agentOf(["Hello."], { user: { usd: 1 } });
  expect(await other.agent.resume("r")).toMatchObject({ status: "completed" });
  go.resolve();
  expect(await running).toMatchObject({ status: "failed", error: { code: "journal_conflict" } });
  expect(displaced.model.calls).toBe(0);
  expect(await usdOfUser()).toEqual({ used: 150_000, held: 0 });
  expect(await store.counters!.open("")).toEqual([]);
});

describe("over HTTP", () => {
  const answer = { text: "Hello, all of you.", usage: { inputTokens: 10, outputTokens: 5 } };
  test.each<[string, SimulatedReply, boolean]>([
    ["HTTP 429", { fault: "rate-limit", retryAfterMs: "1" }, true],
    ["HTTP 500", { fault: "server-error" }, true],
    ["a stream that breaks", { ...answer, fault: "reset-mid-body", afterChunks: 1 }, false],
    ["a stream that ends too early", { ...answer, fault: "cut", afterChunks: 1 }, false],
    ["an error within a stream", { ...answer, fault: "error-mid-body", afterChunks: 1, error: "rate-limit" }, false],
    ["an error under status 200", { fault: "error-200" }, false],
    ["nothing at all", { fault: "reset" }, false],
  ])("%s is charged by what the provider may charge", async (_name, fault, isFree) => {
    await using provider = await simulatedProvider({ scenario: [fault, answer] });
    const model = openai("m", { apiKey: "k", baseURL: provider.baseURL });
    const { agent } = agentOf([], { user: { usd: 1 } }, { model, prices: { m: price } });
    const stream = agent.stream("hi", { runId: "r", user });
    for await (const _ of stream) void _;
    const result = await stream.result;
    expect(result.status).toBe("completed");
    expect(provider.count).toBe(2);
    expect(result.cost.unconfirmedUsd > 0).toBe(!isFree);
    if (isFree) expect(result.cost.usd).toBe(0.00015);
  });
});
