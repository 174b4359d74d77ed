// Shutting down: nothing new is begun, what goes on is waited for, and what takes too long is stopped so that it can go on elsewhere.
import { createAgent, memoryStore, tool } from "airworthy";
import { fakeClock, scriptedModel } from "airworthy/testing";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { asks, events, framesOf, json, sentBy, serve, toldBy } from "./asking.ts";

const ask = { input: "Hello.", runId: "r-1" };

/** `inTime`: the agent, too, lives by the test's clock. */
function slow(inTime = false) {
  const clock = fakeClock();
  const store = memoryStore();
  const go = Promise.withResolvers<string>();
  const begun = Promise.withResolvers<void>();
  const find = tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({}),
    execute: () => {
      begun.resolve();
      return go.promise;
    },
  });
  const calls = [{ name: "find", arguments: {} }];
  const model = scriptedModel(({ messages }) => (messages.at(-1)?.role === "tool" ? "Done." : { text: "I look. ", calls }));
  const options = { name: "desk", model, tools: { find }, store, ...(inTime ? { clock } : {}) };
  const principal = vi.fn(() => ({ id: "ann" }));
  const handler = serve(options, { clock, principal });
  let closed = false;
  const close = (withinMs: number) => handler.close({ withinMs }).then(() => (closed = true));
  return { clock, handler, options, principal, close, begun: begun.promise, go: () => go.resolve("found"), isClosed: () => closed };
}

test("what comes is sent elsewhere, before anybody is asked who they are", async () => {
  const { handler, close, principal } = slow();
  await close(0);
  const response = await handler(asks(ask));
  expect(principal).not.toHaveBeenCalled();
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
  expect((await toldBy(response)).error?.message).toContain("shutting down");
});

test("what is still being read is not begun any more", async () => {
  const { handler, close } = slow();
  const rest = Promise.withResolvers<void>();
  const reading = Promise.withResolvers<void>();
  const body = new ReadableStream({
    async pull(controller) {
      reading.resolve();
      await rest.promise;
      controller.enqueue(new TextEncoder().encode(JSON.stringify(ask)));
      controller.close();
    },
  });
  const answer = handler(new Request("http://service/", { method: "POST", headers: json, body, duplex: "half" }));
  await reading.promise;
  await close(0);
  rest.resolve();
  expect((await answer).status).toBe(503);
});

test("runs and their answers are waited for, also those nobody listens to", async () => {
  const { handler, close, clock, begun, go, isClosed } = slow();
  const frames = framesOf(await handler(asks(ask, events)));
  await begun;
  const watched = await handler(asks(ask, events));
  await frames.leave();
  void close(60_000);
  await clock.advance(59_999);
  expect(isClosed()).toBe(false);
  go();
  await clock.advance(0);
  expect(isClosed(), "its answer is not read yet").toBe(false);
  expect((await sentBy(watched)).at(-1)?.data).toMatchObject({ status: "completed", output: "Done." });
  await clock.advance(0);
  expect([isClosed(), clock.pending]).toEqual([true, 0]);
});

test("what takes too long is stopped, told so, and can go on elsewhere", async () => {
  const { handler, options, close, clock, begun, go, isClosed } = slow(true);
  const [whole, streamed] = [handler(asks(ask)), sentBy(await handler(asks({ input: "And this?" }, events)))];
  await begun;
  void close(1_000);
  await clock.advance(999);
  expect(isClosed()).toBe(false);
  await clock.advance(1);
  expect(isClosed(), "they have not stopped yet").toBe(false);
  await clock.advance(50);
  const told = await toldBy(await whole);
  expect(told).toMatchObject({ status: "partial", resumable: true, text: "I look. ", error: { code: "deadline_exceeded" } });
  expect(told.explanation).toContain("The service was shutting down.");
  expect((await streamed).at(-1)?.data).toMatchObject({ status: "partial", resumable: true });
  await clock.advance(0);
  expect([isClosed(), clock.pending]).toEqual([true, 0]);
  go();
  expect(await createAgent(options).resume("r-1")).toMatchObject({ status: "completed", output: "Done." });
});

test("a reader who never comes back is not waited for past the time", async () => {
  const { handler, close, clock, begun, go, isClosed } = slow();
  const unread = await handler(asks(ask, events));
  await begun;
  go();
  void close(1_000);
  await clock.advance(999);
  expect(isClosed()).toBe(false);
  await clock.advance(1);
  expect(isClosed()).toBe(true);
  expect((await sentBy(unread)).at(-1)?.data).toMatchObject({ status: "completed" });
});

test("closing twice is closing once, and needs a time", async () => {
  const { handler, close, clock, begun, go } = slow();
  const answer = handler(asks(ask));
  await begun;
  const both = [close(1_000), close(0)];
  await clock.advance(500);
  go();
  expect(await toldBy(await answer)).toMatchObject({ status: "completed" });
  await Promise.all(both);
  await expect(handler.close(Object({}))).rejects.toMatchObject({ code: "input_invalid" });
  await expect(handler.close({ withinMs: -1 })).rejects.toMatchObject({ code: "input_invalid" });
});

test("what was turned away holds nobody up", async () => {
  const { handler, close, clock } = slow();
  expect((await handler(asks({ input: " " }))).status).toBe(400);
  expect((await handler(asks({ input: "" }, events))).status).toBe(400);
  await close(60_000);
  expect(clock.pending).toBe(0);
});
