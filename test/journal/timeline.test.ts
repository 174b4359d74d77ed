// The timeline of a run: rows in the order things began, whatever the clock shows.
import { createAgent, timeline, tool } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";
import { z } from "zod";

test("a stage stands before its steps, a step before its failed attempts, and time and tokens are told", async () => {
  let times = 0;
  const find = tool({
    description: "d",
    effect: "read",
    inputSchema: z.object({}),
    execute: () => {
      if (times++ === 0) throw new Error("once");
      return "x";
    },
  });
  const model = scriptedModel([{ calls: [{ name: "find", arguments: {} }], usage: { inputTokens: 3, outputTokens: 2 } }, "done"]);
  const agent = createAgent({ name: "a", model, tools: { find }, clock: autoClock() });
  await agent.run("go", { runId: "r" });
  const rows = timeline(await agent.journal("r"));
  expect(rows.map(({ kind, key, outcome }) => `${kind} ${key} ${outcome}`)).toEqual([
    "run  started",
    "stage input-filter done",
    "stage context done",
    "stage turn-1/planner done",
    "model turn-1/model/0 done",
    "stage turn-1/executor done",
    "tool turn-1/tool/0 done after 2 attempts",
    "attempt turn-1/tool/0 tool_failed",
    "stage turn-2/planner done",
    "model turn-2/model/0 done",
    "stage turn-2/output-filter done",
    "stage turn-2/response-builder done",
    "run  completed",
  ]);
  expect(rows[4]).toMatchObject({ inputTokens: 3, outputTokens: 2 });
  expect(rows[6]?.durationMs).toBeGreaterThan(0);
  expect(rows.at(-1)?.atMs).toBe(Number(rows[6]?.atMs) + Number(rows[6]?.durationMs));
});
