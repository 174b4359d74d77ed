// fallback() and route(): which model is asked after which, what is recorded of it, and that every later pass takes the same way.
import { AgentError, createAgent, type ErrorCode, errorCodes, fallback, type Model, memoryStore, modelRequests, route } from "airworthy";
import { autoClock, hang, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, test, vi } from "vitest";

const failing = (code: ErrorCode, id = "first") => scriptedModel(() => new AgentError(code, "No."), { id });
const answering = (id = "second", ...replies: ScriptedReply[]) => scriptedModel(replies.length > 0 ? replies : () => `From ${id}.`, { id });
const fine = { name: "a", clock: autoClock(), resilience: { retry: { attempts: 2, baseMs: 1 } } };

describe("fallback", () => {
  const asksAnother: readonly ErrorCode[] = [
    "rate_limited",
    "quota_exhausted",
    "provider_unavailable",
    "provider_rejected",
    "authentication_failed",
    "context_too_long",
    "model_response_invalid",
    "circuit_open",
    "step_timeout",
    "first_token_timeout",
    "idle_timeout",
  ];
  const isCode = (name: string): name is ErrorCode => Object.hasOwn(errorCodes, name);

  test.each(Object.keys(errorCodes).filter(isCode))("%s of the first model", async (code) => {
    const second = answering();
    const result = await createAgent({ ...fine, model: fallback([failing(code), second]) }).run("go");
    expect(second.calls).toBe(asksAnother.includes(code) ? 1 : 0);
    if (asksAnother.includes(code)) {
      expect(result).toMatchObject({ status: "completed", output: "From second.", degraded: [{ model: "first", by: "second" }] });
    } else expect(result).toMatchObject({ error: { code } });
  });

  test("asks nobody else when the first answers, and says nothing of it", async () => {
    const [first, second] = [answering("first"), answering()];
    const result = await createAgent({ ...fine, model: fallback([first, second]) }).run("go");
    expect(result).toMatchObject({ output: "From first.", degraded: [] });
    expect(second.calls).toBe(0);
  });

  test("does not shop for a laxer provider when an answer is withheld", async () => {
    const second = answering();
    const first = answering("first", { text: "", finishReason: "content-filter" });
    const result = await createAgent({ ...fine, model: fallback([first, second]) }).run("go");
    expect(result).toMatchObject({ status: "refused", error: { code: "content_filtered" } });
    expect(second.calls).toBe(0);
  });

  test("gives each model its attempts, and all of them the same messages", async () => {
    const models = [failing("provider_unavailable", "a"), failing("quota_exhausted", "b"), answering("c")] as const;
    const result = await createAgent({ ...fine, instructions: "Be brief.", model: fallback(models) }).run("go", { runId: "r" });
    expect(models.map(({ calls }) => calls)).toEqual([2, 1, 1]);
    expect(models.map(({ requests }) => requests.at(-1)?.messages)).toEqual(models.map(() => models[2].requests[0]?.messages));
    expect(result).toMatchObject({ status: "completed", usage: { modelCalls: 3, unreported: 3 } });
  });

  test("fails with the last model's error when none can answer, and a resume asks the others again", async () => {
    const store = memoryStore();
    let up = false;
    const first = scriptedModel(() => (up ? "Back again." : new AgentError("quota_exhausted", "No.")), { id: "first" });
    const second = failing("authentication_failed", "second");
    const agent = createAgent({ ...fine, store, model: fallback([first, second]) });
    const stopped = await agent.run("go", { runId: "r" });
    expect(stopped).toMatchObject({ status: "failed", error: { code: "authentication_failed" }, resumable: true });
    up = true;
    const result = await agent.resume("r");
    expect(result).toMatchObject({ status: "completed", output: "Back again.", degraded: [] });
    expect([first.calls, second.calls]).toEqual([2, 2]);
    const requests = modelRequests(await agent.journal("r"));
    expect(requests.map(({ request }) => request.messages)).toEqual(requests.map(() => [{ role: "user", content: "go" }]));
    expect(await agent.run("go", { runId: "r" })).toEqual(result);
    expect([first.calls, second.calls]).toEqual([2, 2]);
  });

  test("after a crash goes on with the model the run had come to", async () => {
    const store = memoryStore();
    const first = failing("quota_exhausted");
    const crashing = scriptedModel([hang()], { id: "second" });
    const stream = createAgent({ ...fine, store, model: fallback([first, crashing]) }).stream("go", { runId: "r" });
    for await (const event of stream) if (event.type === "attempt.started" && event.name === "second") break;
    const lines = (await store.journal.load("r")) ?? [];
    const crashed = memoryStore();
    const last = lines.findLastIndex((line) => line.includes('"attempt.started"'));
    await crashed.journal.create({ runId: "r", agent: "a" }, lines.slice(0, last + 1));
    const again = failing("quota_exhausted");
    const result = await createAgent({ ...fine, store: crashed, model: fallback([again, answering()]) }).resume("r");
    expect(result).toMatchObject({ status: "completed", output: "From second.", degraded: [{ model: "first", by: "second" }] });
    expect(again.calls).toBe(0);
  });

  test("a run whose agent has lost a model is gone on with", async () => {
    const store = memoryStore();
    const models = ["a", "b", "c"].map((id) => failing("quota_exhausted", id));
    await createAgent({ ...fine, store, model: fallback(models) }).run("go", { runId: "r" });
    const result = await createAgent({ ...fine, store, model: answering("a") }).resume("r");
    expect(result).toMatchObject({ status: "completed", output: "From a.", degraded: [] });
  });

  test("does not wait long for one model while there is another, and does for the last", async () => {
    const limited = (id: string) =>
      scriptedModel([new AgentError("rate_limited", "No.", { details: { retryAfterMs: 15_000 } }), "At last."], { id });
    const clock = autoClock({ autoMaxMs: 20_000 });
    const patient = { ...fine, clock, policy: { timeouts: { totalMs: 60_000 } } };
    const [first, last] = [limited("first"), limited("last")];
    const before = clock.now();
    expect(await createAgent({ ...patient, model: fallback([first, last]) }).run("go")).toMatchObject({ output: "At last." });
    expect([first.calls, last.calls]).toEqual([1, 2]);
    expect(clock.now() - before).toBeGreaterThanOrEqual(15_000);
  });

  test("two adapters of one model fail each for itself", async () => {
    const [east, west] = [failing("provider_unavailable", "m"), answering("m")];
    const agent = createAgent({ ...fine, model: fallback([east, west]), resilience: { ...fine.resilience, breaker: { failures: 2 } } });
    for (let run = 0; run < 3; run++) expect(await agent.run("go")).toMatchObject({ status: "completed" });
    expect([east.calls, west.calls]).toEqual([2, 3]);
  });

  test("one model in two tiers has one breaker", async () => {
    const down = failing("provider_unavailable");
    const tiers = { one: down, two: down };
    const agent = createAgent({
      ...fine,
      model: route({ tiers, choose: ({ run }) => (run.id === "1" ? "one" : "two") }),
      resilience: { breaker: { failures: 2 }, retry: { attempts: 2, baseMs: 1 } },
    });
    expect(await agent.run("go", { runId: "1" })).toMatchObject({ error: { code: "provider_unavailable" } });
    expect(await agent.run("go", { runId: "2" })).toMatchObject({ error: { code: "circuit_open" } });
    expect(down.calls).toBe(2);
  });
});

describe("route", () => {
  const ask = { calls: [{ name: "nothing", arguments: {} }] };

  test("asks before each turn, and what was chosen is recorded and stands", async () => {
    const store = memoryStore();
    const [small, large] = [answering("small", ask), answering("large", "Done.")];
    const choose = vi.fn(({ turn }: { turn: number }) => (turn === 1 ? ("quick" as const) : ("careful" as const)));
    const model = route({ tiers: { quick: small, careful: large }, choose });
    const result = await createAgent({ ...fine, store, model }).run("go", { runId: "r" });
    expect(result).toMatchObject({ status: "completed", output: "Done.", degraded: [] });
    expect(choose.mock.calls.map(([{ turn }]) => turn)).toEqual([1, 2]);

    const never = vi.fn(() => "quick" as const);
    const other = createAgent({ ...fine, store, model: route({ tiers: { quick: small, careful: large }, choose: never }) });
    expect(await other.run("go", { runId: "r" })).toEqual(result);
    expect(never).not.toHaveBeenCalled();
    const entries = await other.journal("r");
    expect(entries.filter((entry) => entry.type === "decided" && entry.reason === "route")).toMatchObject([
      { key: "turn-1/route", choice: "quick" },
      { key: "turn-2/route", choice: "careful" },
    ]);
  });

  test("hands `choose` what it needs, in copies", async () => {
    const choose = vi.fn(({ messages }: { messages: readonly unknown[] }) => {
      expect(messages).toEqual([
        { role: "system", content: "Be brief." },
        { role: "user", content: "go" },
      ]);
      Array.prototype.pop.call(messages);
      return "only" as const;
    });
    const only = answering("only");
    const agent = createAgent({ ...fine, instructions: "Be brief.", model: route({ tiers: { only }, choose }) });
    await agent.run("go", { user: { id: "anna" } });
    expect(choose).toHaveBeenCalledWith(expect.objectContaining({ turn: 1, run: expect.objectContaining({ user: { id: "anna" } }) }));
    expect(only.requests[0]?.messages).toHaveLength(2);
  });

  test("a tier may fall back", async () => {
    const model = route({ tiers: { only: fallback([failing("quota_exhausted"), answering()]) }, choose: () => "only" });
    expect(await createAgent({ ...fine, model }).run("go")).toMatchObject({ output: "From second." });
  });

  const broken: readonly { readonly what: string; readonly choose: () => "only"; readonly code: ErrorCode }[] = [
    {
      what: "throws",
      choose: () => {
        throw new TypeError("secret");
      },
      code: "stage_failed",
    },
    { what: "answers no tier", choose: () => JSON.parse('"__proto__"'), code: "configuration_invalid" },
    { what: "answers what cannot be stored", choose: () => JSON.parse("7"), code: "configuration_invalid" },
  ];
  test.each(broken)("a `choose` that $what fails the run and asks nobody", async ({ choose, code }) => {
    const only = answering("only");
    const result = await createAgent({ ...fine, model: route({ tiers: { only }, choose }) }).run("go");
    expect(result).toMatchObject({ status: "failed", error: { code } });
    expect(JSON.stringify(result)).not.toContain("secret");
    expect(only.calls).toBe(0);
  });
});

describe("what a model is made with", () => {
  test("its settings win over the agent's, for itself alone, and the journal says so", async () => {
    const own: Model & { requests: readonly unknown[] } = Object.assign(failing("quota_exhausted"), {
      settings: { seed: 7, temperature: 1 },
    });
    const other = answering();
    const agent = createAgent({ ...fine, model: fallback([own, other]), settings: { temperature: 0, topP: 0.5 } });
    await agent.run("go", { runId: "r" });
    expect(own.requests[0]).toMatchObject({ settings: { seed: 7, temperature: 1, topP: 0.5 } });
    expect(other.requests[0]?.settings).toEqual({ temperature: 0, topP: 0.5 });
    expect(modelRequests(await agent.journal("r")).map(({ request }) => request)).toEqual([own.requests[0], other.requests[0]]);
  });

  test("what one of the models cannot take is known before a run", () => {
    const check = vi.fn(({ settings }: { settings: object }) => {
      if ("seed" in settings) throw new AgentError("configuration_invalid", "second has no seed.");
    });
    const model = fallback([answering("first"), Object.assign(answering(), { check })]);
    expect(createAgent({ ...fine, model }).name).toBe("a");
    expect(check).toHaveBeenCalledWith({ tools: [], settings: {} });
    expect(() => createAgent({ ...fine, model, settings: { seed: 1 } })).toThrow("second has no seed.");
    const odd = Object.assign(answering(), {
      check: () => {
        throw new TypeError("odd");
      },
    });
    expect(() => createAgent({ ...fine, model: odd })).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
  });

  const wrong = (value: unknown) => JSON.parse(JSON.stringify(value));
  test.each([
    ["fallback() of nothing", () => fallback([])],
    ["fallback() of no model", () => fallback([wrong({ id: "m", provider: "p" })])],
    ["fallback() of no list", () => fallback(wrong({}))],
    ["route() without tiers", () => route({ tiers: {}, choose: () => wrong("x") })],
    ["route() without choose", () => route(wrong({ tiers: {} }))],
    ["a tier that is no model", () => route({ tiers: { x: wrong({}) }, choose: () => "x" as const })],
    ["a route in a route", () => createAgent({ ...fine, model: route({ tiers: { x: wrong(0) }, choose: () => "x" as const }) })],
    ["a value that only looks like a fallback", () => createAgent({ ...fine, model: wrong({ kind: "fallback", models: [] }) })],
  ])("%s is configuration_invalid", (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
  });
});
