// The wire format of Responses, byte by byte where a client looks: the order of events, their names, ids and numbers.
import { expect, test } from "vitest";
import type { SimulatedReply } from "../../../src/testing/index.ts";
import { eventsTo, sentTo } from "./exchange.ts";

const reply: SimulatedReply = { reasoning: "It left.", text: "On its way.", calls: [{ name: "find", arguments: { id: 7 } }], chunkSize: 6 };

async function parsed(api: "responses", answer: SimulatedReply, more: object = {}) {
  return (await eventsTo(api, answer, more)).map(({ name, data }) => ({ name, ...JSON.parse(data) }));
}

test("a stream goes item by item, each opened, grown and closed", async () => {
  const events = await parsed("responses", reply);
  expect(events.map(({ type, output_index, delta }) => [type, output_index, delta].filter((part) => part !== undefined).join(" "))).toEqual(
    [
      "response.created",
      "response.in_progress",
      "response.output_item.added 0",
      "response.reasoning_summary_part.added 0",
      "response.reasoning_summary_text.delta 0 It lef",
      "response.reasoning_summary_text.delta 0 t.",
      "response.reasoning_summary_text.done 0",
      "response.reasoning_summary_part.done 0",
      "response.output_item.done 0",
      "response.output_item.added 1",
      "response.content_part.added 1",
      "response.output_text.delta 1 On its",
      "response.output_text.delta 1  way.",
      "response.output_text.done 1",
      "response.content_part.done 1",
      "response.output_item.done 1",
      "response.output_item.added 2",
      'response.function_call_arguments.delta 2 {"id":',
      "response.function_call_arguments.delta 2 7}",
      "response.function_call_arguments.done 2",
      "response.output_item.done 2",
      "response.completed",
    ],
  );
  expect(events.map(({ name, type }) => name === type)).not.toContain(false);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, position) => position));
});

test("a stream ends with what is sent as JSON", async () => {
  const last = (await parsed("responses", reply)).at(-1);
  const whole = JSON.parse(await sentTo("responses", reply));
  expect(last.response).toEqual(whole);
  expect(whole.output.map(({ id }: { id: string }) => id)).toEqual(["rs_0_0", "msg_0_1", "fc_0_2"]);
});

test("a stream begins with a response in progress, which has no output and no usage", async () => {
  const [created] = await parsed("responses", reply);
  expect(created.response).toMatchObject({ id: "resp_0", object: "response", status: "in_progress", output: [], error: null });
  expect(created.response).not.toHaveProperty("usage");
});

test("an item that has only begun shows nothing of what it will be", async () => {
  const added = (await parsed("responses", reply)).filter(({ type }) => type === "response.output_item.added");
  expect(added.map(({ item }) => item)).toEqual([
    { id: "rs_0_0", type: "reasoning", summary: [] },
    { id: "msg_0_1", type: "message", status: "in_progress", role: "assistant", content: [] },
    { id: "fc_0_2", type: "function_call", status: "in_progress", call_id: "call_0_0", name: "find", arguments: "" },
  ]);
});

test.for([
  {
    finishReason: "incomplete",
    type: "response.incomplete",
    end: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
  },
  { finishReason: "content_filter", type: "response.incomplete", end: { incomplete_details: { reason: "content_filter" } } },
  { finishReason: "failed", type: "response.failed", end: { status: "failed", error: { code: "server_error" } } },
])("$finishReason ends with $type", async ({ finishReason, type, end }) => {
  const last = (await parsed("responses", { text: "x", finishReason })).at(-1);
  expect(last).toMatchObject({ type, response: end });
  expect(JSON.parse(await sentTo("responses", { text: "x", finishReason }))).toMatchObject(end);
});

test("no finish reason leaves the status and the last event out", async () => {
  expect((await parsed("responses", { text: "x", finishReason: null })).at(-1).type).toBe("response.output_item.done");
  expect(JSON.parse(await sentTo("responses", { text: "x", finishReason: null }))).not.toHaveProperty("status");
});

test("a refusal is a part of its own", async () => {
  const types = (await parsed("responses", { refusal: "No." })).map(({ type }) => type).slice(3, 7);
  expect(types).toEqual(["response.content_part.added", "response.refusal.delta", "response.refusal.done", "response.content_part.done"]);
});

test("a response repeats what was asked for", async () => {
  const asked = { instructions: "Be brief.", tool_choice: "required", temperature: 0.2, store: false, max_output_tokens: 50 };
  expect(JSON.parse(await sentTo("responses", { text: "x" }, asked))).toMatchObject({
    ...asked,
    parallel_tool_calls: true,
    model: "gpt-test",
  });
});

test("encrypted reasoning is sent to who asks for it", async () => {
  const include = ["reasoning.encrypted_content"];
  expect(await sentTo("responses", reply, { include })).toContain('"encrypted_content":"encrypted_0_0"');
  expect(await sentTo("responses", reply, { include: ["message.output_text.logprobs"] })).not.toContain("encrypted_content");
  expect(await sentTo("responses", reply)).not.toContain("encrypted_content");
});

test("a call that was cut off is incomplete like the response", async () => {
  const { status, output } = JSON.parse(await sentTo("responses", { fault: "truncated-arguments", name: "find" }));
  expect([status, output[0].status]).toEqual(["incomplete", "incomplete"]);
});
