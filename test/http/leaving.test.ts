// Clients that leave, come back, come twice or read slowly: the run does not care, unless it was asked to.
import { AgentError, type AgentOptions, memoryStore, tool } from "airworthy";
import type { AgentHandlerOptions } from "airworthy/http";
import { fakeClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { asks, events, framesOf, json, sentBy, sentOf, serve, shownIn, toldBy } from "./asking.ts";

const ask = { input: "Hello.", runId: "r-1" };

/** An agent that says a word, then looks something up until it is let go on, and says another. */
function waiting(options: Partial<AgentHandlerOptions> = {}, agent: Partial<AgentOptions> = {}) {
  const go = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<AbortSignal>();
  const look = tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({}),
    execute: (_, { signal }) => {
      begun.resolve(signal);
      return go.promise;
    },
  });
  const model = scriptedModel([{ text: "Good ", calls: [{ name: "look", arguments: {} }] }, { deltas: ["mor", "ning."] }, "again"]);
  const handler = serve({ model, tools: { look }, ...agent }, options);
  return { model, handler, begun: begun.promise, go: () => go.resolve("found") };
}

describe("a client that leaves", () => {
  test("its stream finds the run gone on, with every event from the first", async () => {
    const { handler, model, begun, go } = waiting();
    const first = framesOf(await handler(asks(ask, events)));
    expect(sentOf(await first.next())).toMatchObject({ event: "run.started", data: { runId: "r-1" } });
    await begun;
    await first.leave();
    const again = sentBy(await handler(asks(ask, events)));
    go();
    const sent = await again;
    expect(sent[0]).toMatchObject({ id: "1", event: "run.started" });
    expect(shownIn(sent)).toBe("Good morning.");
    expect(sent.at(-1)?.data).toMatchObject({ status: "completed", output: "morning." });

    const late = await sentBy(await handler(asks(ask, events)));
    expect([late[0]?.event, shownIn(late), late.at(-1)?.data]).toEqual(["run.started", "Good morning.", sent.at(-1)?.data]);
    expect(await toldBy(await handler(asks(ask)))).toEqual(late.at(-1)?.data);
    expect(model.calls).toBe(2);
  });

  test("before it was answered in JSON finds the answer", async () => {
    const { handler, begun, go } = waiting();
    const client = new AbortController();
    const lost = handler(asks(ask, json, { signal: client.signal }));
    await begun;
    client.abort();
    const again = handler(asks(ask));
    go();
    expect(await toldBy(await again)).toMatchObject({ status: "completed" });
    expect(await toldBy(await lost)).toMatchObject({ status: "completed" });
  });

  test.each([
    ["a stream", events],
    ["JSON", json],
  ])("cancels the run it began, when asked to: %s", async (_, headers) => {
    const { handler, begun } = waiting({ onDisconnect: "cancel" });
    const client = new AbortController();
    const answer = handler(asks(ask, headers, { signal: client.signal }));
    const signal = await begun;
    if (headers === events) await framesOf(await answer).leave();
    else client.abort();
    const told = await toldBy(await handler(asks(ask)));
    expect(told).toMatchObject({ status: "cancelled", resumable: false, error: { code: "cancelled" } });
    expect(signal.aborted).toBe(true);
  });

  test("cancels by the request's signal, too, where no stream is read", async () => {
    const { handler, begun } = waiting({ onDisconnect: "cancel" });
    const client = new AbortController();
    const answer = await handler(asks(ask, events, { signal: client.signal }));
    await begun;
    client.abort();
    expect((await sentBy(answer)).at(-1)?.data).toMatchObject({ status: "cancelled" });
  });

  test("cancels nothing that somebody else began", async () => {
    const { handler, begun, go } = waiting({ onDisconnect: "cancel" });
    const first = await handler(asks(ask, events));
    await begun;
    await framesOf(await handler(asks(ask, events))).leave();
    go();
    expect((await sentBy(first)).at(-1)?.data).toMatchObject({ status: "completed" });
  });

  test("leaves no timer behind", async () => {
    const clock = fakeClock();
    const { handler, begun, go } = waiting({ clock });
    const frames = framesOf(await handler(asks(ask, events)));
    await begun;
    for (let read = ""; !read.includes('"kind":"tool"'); ) read = await frames.next();
    const pending = frames.next();
    await clock.advance(0);
    expect(clock.pending).toBe(1);
    await frames.leave();
    await pending;
    await clock.advance(0);
    expect(clock.pending).toBe(0);
    go();
  });
});

describe("two users with one run id", () => {
  test("never meet: not while it runs, not afterwards, by no kind of answer", async () => {
    const { handler, model, begun, go } = waiting();
    const ann = handler(asks(ask));
    await begun;
    const bob = async () => {
      for (const headers of [json, events]) {
        const response = await handler(asks(ask, { ...headers, authorization: "bob" }));
        const text = await response.text();
        expect([response.status, JSON.parse(text).error.code]).toEqual([409, "run_id_conflict"]);
        expect(text).not.toMatch(/ann|Good|morning|Hello/);
      }
    };
    await bob();
    go();
    expect((await ann).status).toBe(200);
    await bob();
    expect(model.calls).toBe(2);
  });

  test("nor does one user with two inputs or conversations", async () => {
    const handler = serve({ model: scriptedModel(["one"]) });
    expect((await handler(asks(ask))).status).toBe(200);
    expect((await handler(asks({ ...ask, input: "Bye." }))).status).toBe(409);
    expect((await handler(asks({ ...ask, conversationId: "c" }))).status).toBe(409);
  });
});

test("a run that goes on in another process is not begun again", async () => {
  const store = memoryStore();
  const { handler, begun, go } = waiting({}, { store });
  const first = handler(asks(ask));
  await begun;
  for (const headers of [json, events]) {
    const other = await serve({ model: scriptedModel([]), store })(asks(ask, headers));
    expect([other.status, (await toldBy(other)).error?.code]).toEqual([409, "run_active"]);
  }
  go();
  expect((await first).status).toBe(200);
});

describe("a run that a passing failure has stopped", () => {
  const paid: string[] = [];
  const pay = tool({
    description: "d",
    effect: "pay",
    inputSchema: z.object({}),
    execute: (_, { idempotencyKey }) => paid.push(idempotencyKey),
  });
  function failing(details = {}) {
    paid.length = 0;
    const clock = fakeClock();
    const down = new AgentError("rate_limited", "m", { details });
    const model = scriptedModel([{ calls: [{ name: "pay", arguments: {} }] }, down, "Paid.", "never"]);
    return { clock, model, handler: serve({ model, clock, tools: { pay } }, { clock }) };
  }

  test.each([
    ["JSON", json],
    ["a stream", events],
  ])("goes on when it is asked for again, and does nothing twice: %s", async (_, headers) => {
    const { handler, model } = failing();
    expect((await handler(asks(ask))).status).toBe(503);
    const again = await handler(asks(ask, headers));
    const told = headers === json ? await toldBy(again) : (await sentBy(again)).at(-1)?.data;
    expect(told).toMatchObject({ status: "completed", output: "Paid." });
    expect([paid.length, model.calls]).toEqual([1, 3]);
    expect(await toldBy(await handler(asks(ask)))).toEqual(told);
    expect(model.calls).toBe(3);
  });

  test("but not before its time, and not for somebody else or something else", async () => {
    const { handler, model, clock } = failing({ retryAt: fakeClock().now() + 5_000 });
    await handler(asks(ask));
    const early = await handler(asks(ask));
    expect([early.status, early.headers.get("retry-after")]).toEqual([503, "5"]);
    await clock.advance(5_000);
    expect((await handler(asks(ask, { authorization: "bob" }))).status).toBe(409);
    expect((await handler(asks({ ...ask, input: "Pay more." }))).status).toBe(409);
    expect(model.calls).toBe(2);
    expect((await handler(asks(ask))).status).toBe(200);
  });
});

describe("a stream", () => {
  test("is made as it is read, so that a slow reader slows nobody", async () => {
    const { handler, begun, go } = waiting();
    const frames = framesOf(await handler(asks(ask, events)));
    go();
    await begun;
    expect(await toldBy(await handler(asks(ask)))).toMatchObject({ status: "completed" });
    const read: string[] = [];
    while (!read.at(-1)?.includes("event: result")) read.push(await frames.next());
    expect(read.map((frame) => sentOf(frame)?.id)).toEqual(read.map((_, position) => `${position + 1}`));
  });

  test("is kept alive by comments while there is nothing to say, and by none while there is", async () => {
    const clock = fakeClock();
    const { handler, begun, go } = waiting({ clock, keepAliveMs: 1_000 });
    const frames = framesOf(await handler(asks(ask, events)));
    await begun;
    let frame = await frames.next();
    while (!frame.includes('"kind":"tool"')) frame = await frames.next();
    expect(clock.pending).toBe(0);
    for (let comment = 0; comment < 2; comment++) {
      const next = frames.next();
      await clock.advance(999);
      expect(clock.pending).toBe(1);
      await clock.advance(1);
      expect(await next).toBe(":");
    }
    const next = frames.next();
    await clock.advance(999);
    go();
    expect(sentOf(await next)).toMatchObject({ event: "step.finished" });
    expect(clock.pending).toBe(0);
  });
});
