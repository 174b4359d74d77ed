// Promise 8, over real HTTP with the real SDK: n attempts are n requests, waits are as asked, and an open breaker sends nothing.
import { createAgent, type RunEvent } from "airworthy";
import { openai } from "airworthy/openai";
import { autoClock, type SimulatedProviderOptions, simulatedProvider } from "airworthy/testing";
import { afterEach, describe, expect, test } from "vitest";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const provider of open.splice(0)) await provider.close();
});

async function provide(options: SimulatedProviderOptions) {
  const provider = await simulatedProvider(options);
  open.push(provider);
  return { provider, model: openai("gpt-5-mini", { apiKey: "test", baseURL: provider.baseURL }) };
}

const always = (reply: object): SimulatedProviderOptions =>
  JSON.parse(JSON.stringify({ scenario: Array.from({ length: 30 }, () => reply) }));

describe.each([false, true])("streamed: %s", (streamed) => {
  test.each([
    ["rate-limit", 3, "rate_limited"],
    ["server-error", 3, "provider_unavailable"],
    ["reset", 3, "provider_unavailable"],
    ["bad-request", 1, "provider_rejected"],
    ["unauthorized", 1, "authentication_failed"],
    ["quota", 1, "quota_exhausted"],
  ])("always %s: %i requests, then %s", async (fault, requests, code) => {
    const { provider, model } = await provide(always({ fault }));
    const agent = createAgent({ name: "a", model, clock: autoClock({ start: Date.now() }) });
    const result = streamed ? await agent.stream("go").result : await agent.run("go");
    expect(result).toMatchObject({ status: "failed", error: { code } });
    expect(provider.count).toBe(requests);
  });

  test("a 429 is waited out and made good; the entries say so", async () => {
    const { provider, model } = await provide({ scenario: [{ fault: "rate-limit", retryAfterMs: "1500" }, { text: "hello" }] });
    const clock = autoClock({ start: Date.now() });
    const agent = createAgent({ name: "a", model, clock });
    const events: RunEvent[] = [];
    const before = clock.now();
    const stream = agent.stream("go");
    for await (const event of stream) events.push(event);
    expect(await stream.result).toMatchObject({ status: "completed", output: "hello" });
    expect(provider.count).toBe(2);
    expect(clock.now() - before).toBeGreaterThanOrEqual(1500);
    expect(events.filter(({ type }) => type.startsWith("attempt."))).toMatchObject([
      { type: "attempt.started", attempt: 1 },
      { type: "attempt.failed", code: "rate_limited", retryAt: expect.any(Number) },
      { type: "attempt.started", attempt: 2 },
    ]);
  });
});

test("a wait that does not fit the deadline fails at once, and says when to come back", async () => {
  const { provider, model } = await provide(always({ fault: "rate-limit", retryAfter: "120" }));
  const clock = autoClock({ start: Date.now() });
  const before = clock.now();
  const result = await createAgent({ name: "a", model, clock }).run("go");
  expect(result).toMatchObject({ status: "failed", error: { code: "rate_limited" } });
  expect(result.status === "failed" && Number(result.error.details["retryAt"]) - before).toBeGreaterThanOrEqual(120_000);
  expect(provider.count).toBe(1);
  expect(clock.now() - before).toBeLessThan(1000);
});

test("a provider that keeps failing is left alone: 0 requests while the breaker is open, one trial afterwards", async () => {
  const { provider, model } = await provide(always({ fault: "server-error" }));
  const clock = autoClock({ start: Date.now() });
  const agent = createAgent({
    name: "a",
    model,
    clock,
    resilience: { retry: { attempts: 1 }, breaker: { failures: 3, withinMs: 60_000, resetMs: 30_000 } },
  });
  for (let call = 0; call < 3; call++) expect(await agent.run("go")).toMatchObject({ error: { code: "provider_unavailable" } });
  expect(provider.count).toBe(3);
  const refused = await agent.run("go");
  expect(refused).toMatchObject({
    status: "failed",
    error: { code: "circuit_open", details: { breaker: "model openai/gpt-5-mini" } },
    usage: { modelCalls: 0 },
  });
  expect(provider.count).toBe(3);
  await clock.advance(30_000);
  const all = await Promise.all(Array.from({ length: 50 }, () => agent.run("go")));
  expect(provider.count).toBe(4);
  expect(all.filter((result) => result.status === "failed" && result.error.code === "circuit_open")).toHaveLength(49);
});

test("requests that were wrong do not open it", async () => {
  const { provider, model } = await provide(always({ fault: "bad-request" }));
  const agent = createAgent({ name: "a", model, resilience: { breaker: { failures: 2, withinMs: 60_000 } } });
  for (let call = 0; call < 6; call++) await agent.run("go");
  expect(provider.count).toBe(6);
});
