// The types of what a run answers: its output by the `output` schema, its parts by the status, the parts of an event by its type.
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import {
  type AgentError,
  type AnySchema,
  createAgent,
  type ErrorCode,
  type FinishReason,
  type Missing,
  type Refusal,
  type RunEvent,
  type RunResult,
  type RunStatus,
  type Waiting,
} from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";

const agentFor = <Schema extends AnySchema>(output: Schema) => createAgent({ name: "a", model: scriptedModel(['{"n":1}']), output });

/** The output of a run that completed; fails the test when it did not. */
function outputOf<Output>(result: RunResult<Output>): Output {
  if (result.status !== "completed") throw new Error(`The run came to ${result.status}.`);
  return result.output;
}

describe("the output is typed by the `output` schema", () => {
  test("and is text without one", async () => {
    const output = outputOf(await createAgent({ name: "a", model: scriptedModel(["x"]) }).run("go"));
    expectTypeOf(output).toBeString();
    expect(output).toBe("x");
  });

  test("zod 4: what the schema makes of the answer, with defaults and transforms", async () => {
    const schema = z.object({ n: z.number().transform(String), unit: z.string().default("EUR"), note: z.string().optional() });
    const output = outputOf(await agentFor(schema).run("go"));
    expectTypeOf(output).toEqualTypeOf<{ n: string; unit: string; note?: string | undefined }>();
    expect(output).toEqual({ n: "1", unit: "EUR" });
  });

  test("valibot", async () => {
    const output = outputOf(
      await agentFor(toStandardJsonSchema(v.object({ n: v.number(), unit: v.optional(v.string(), "EUR") }))).run("go"),
    );
    expectTypeOf(output).toEqualTypeOf<{ n: number; unit: string }>();
    expect(output).toEqual({ n: 1, unit: "EUR" });
  });

  test("arktype", async () => {
    const output = outputOf(await agentFor(type({ n: "number", "unit?": "string" })).run("go"));
    expectTypeOf(output).toEqualTypeOf<{ n: number; unit?: string }>();
    expect(output).toEqual({ n: 1 });
  });

  test("JSON Schema: unknown until it is looked at", async () => {
    const output = outputOf(await agentFor({ type: "object", properties: { n: { type: "number" } } }).run("go"));
    expectTypeOf(output).toBeUnknown();
    expect(output).toEqual({ n: 1 });
  });

  test("the same by every door: run, stream, resume", async () => {
    const agent = agentFor(z.object({ n: z.number() }));
    const stream = agent.stream("go", { runId: "r" });
    expectTypeOf<typeof stream.result>().toEqualTypeOf<Promise<RunResult<{ n: number }>>>();
    expectTypeOf<ReturnType<typeof agent.run>>().toEqualTypeOf<Promise<RunResult<{ n: number }>>>();
    expectTypeOf<ReturnType<typeof agent.resume>>().toEqualTypeOf<Promise<RunResult<{ n: number }>>>();
    expect(outputOf(await stream.result)).toEqual(outputOf(await agent.resume("r")));
  });
});

describe("the status says which parts there are", () => {
  type Output = { readonly n: number };

  /** Every status there is; a new one does not compile until it is looked at here. */
  function check(result: RunResult<Output>): RunStatus {
    expectTypeOf(result.runId).toBeString();
    expectTypeOf(result.usage.inputTokens).toEqualTypeOf<number | undefined>();
    switch (result.status) {
      case "completed":
        expectTypeOf(result.output).toEqualTypeOf<Output>();
        expectTypeOf(result.text).toBeString();
        expectTypeOf(result.finishReason).toEqualTypeOf<FinishReason>();
        return result.status;
      case "refused":
        expectTypeOf(result.refusal).toEqualTypeOf<Refusal>();
        expectTypeOf(result.error).toEqualTypeOf<AgentError>();
        return result.status;
      case "escalated":
        expectTypeOf(result.handoff).toEqualTypeOf<Refusal>();
        expectTypeOf(result.error).toEqualTypeOf<AgentError>();
        return result.status;
      case "partial":
        expectTypeOf(result.text).toEqualTypeOf<string | undefined>();
        expectTypeOf(result.finished).toEqualTypeOf<readonly string[]>();
        expectTypeOf(result.missing).toEqualTypeOf<readonly Missing[]>();
        expectTypeOf(result.explanation).toBeString();
        return result.status;
      case "suspended":
        expectTypeOf(result.waitingFor).toEqualTypeOf<readonly Waiting[]>();
        return result.status;
      case "cancelled":
      case "failed":
      case "halted":
        expectTypeOf(result.error).toEqualTypeOf<AgentError>();
        return result.status;
      default:
        return result satisfies never;
    }
  }

  test("one part belongs to one status", async () => {
    type With<Part extends string> = Extract<RunResult<Output>, Record<Part, unknown>>["status"];
    expectTypeOf<With<"output">>().toEqualTypeOf<"completed">();
    expectTypeOf<With<"refusal">>().toEqualTypeOf<"refused">();
    expectTypeOf<With<"handoff">>().toEqualTypeOf<"escalated">();
    expectTypeOf<With<"missing">>().toEqualTypeOf<"partial">();
    expectTypeOf<With<"waitingFor">>().toEqualTypeOf<"suspended">();
    expectTypeOf<With<"error">>().toEqualTypeOf<Exclude<RunStatus, "completed" | "suspended">>();
    expectTypeOf<RunResult["status"]>().toEqualTypeOf<RunStatus>();
    expect(check(await agentFor(z.object({ n: z.number() })).run("go"))).toBe("completed");
  });
});

test("the type of an event says which parts it has", async () => {
  type Of<Type extends RunEvent["type"]> = Extract<RunEvent, { type: Type }>;
  expectTypeOf<Of<"run.started">["agent"]>().toBeString();
  expectTypeOf<Of<"stage.finished">["durationMs"]>().toBeNumber();
  expectTypeOf<Of<"attempt.started">["kind"]>().toEqualTypeOf<"model" | "tool" | "custom">();
  expectTypeOf<Of<"attempt.failed">["code"]>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<Of<"attempt.failed">["retryAt"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<Of<"step.finished">["code"]>().toEqualTypeOf<ErrorCode | undefined>();
  expectTypeOf<Of<"run.finished">["status"]>().toEqualTypeOf<RunStatus>();
  expectTypeOf<Of<"note.added">["note"]>().not.toBeAny();

  const texts: string[] = [];
  for await (const event of createAgent({ name: "a", model: scriptedModel(["x"]) }).stream("go")) {
    expectTypeOf(event).toEqualTypeOf<RunEvent>();
    if (event.type === "text.delta") texts.push(event.text);
  }
  expect(texts).toEqual(["x"]);
});
