// Two runs side by side: what is the same, what changed and where, what only one of them did; and nothing of what stands there.
import { createAgent, diffRuns, memoryStore, renderDiff, tool } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import { expect, test } from "vitest";
import { z } from "zod";

const id = z.object({ id: z.string() });
const call = (name: string, number = "SECRET 1") => ({ calls: [{ name, arguments: { id: number }, callId: "c" }] });

async function twoRuns() {
  let times = 0;
  const find = tool({
    description: "d",
    effect: "read",
    inputSchema: id,
    execute: () => {
      times += 1;
      if (times === 2) throw new Error("once");
      return `SECRET ${times}`;
    },
  });
  const mail = tool({ description: "d", effect: "send", inputSchema: id, execute: () => "sent" });
  const options = { name: "a", store: memoryStore(), clock: autoClock(), tools: { find, mail } };
  const agent = createAgent({ ...options, model: scriptedModel([call("find"), call("mail"), "SECRET end"]) });
  await agent.run("go", { runId: "one" });
  const other = scriptedModel([call("find", "SECRET 2"), { text: "SECRET", usage: { inputTokens: 20, outputTokens: 5 } }], { id: "other" });
  await createAgent({ ...options, model: other }).run("go", { runId: "two" });
  return { one: await agent.journal("one"), two: await agent.journal("two") };
}

test("steps, choices and the end stand side by side", async () => {
  const { one, two } = await twoRuns();
  expect(diffRuns(one, two).map(({ key, status, changes }) => [key, status, changes])).toEqual([
    [expect.stringMatching(/^offer\//), "same", []],
    ["instructions", "same", []],
    ["turn-1/model/0", "changed", ["name", "value/message/content/0/arguments", "value/modelId"]],
    ["turn-1/tool/0", "changed", ["attempts", "input/arguments", "value/content"]],
    ["turn-2/model/0", "changed", expect.arrayContaining(["name", "usage", "value/finishReason"])],
    ["turn-2/tool/0", "only-first", []],
    ["turn-3/model/0", "only-first", []],
    ["end", "same", []],
  ]);
  expect(diffRuns(two, one).find(({ key }) => key === "turn-2/tool/0")).toMatchObject({ status: "only-second", second: { name: "mail" } });
  expect(diffRuns(one, one).every(({ status }) => status === "same")).toBe(true);
});

test("for people it is text, without content", async () => {
  const { one, two } = await twoRuns();
  const text = renderDiff(diffRuns(one, two));
  expect(text.split("\n").slice(0, 5)).toEqual([
    "  2 the same",
    "~ turn-1/model/0  model scripted: done, 10+5 tokens -> model other: done, 10+5 tokens",
    "    name, value/message/content/0/arguments, value/modelId",
    "~ turn-1/tool/0  tool find: done -> tool find: done after 2 attempts",
    "    attempts, input/arguments, value/content",
  ]);
  expect(text).toContain("- turn-2/tool/0  tool mail: done\n");
  expect(text).not.toContain("SECRET");
  expect(renderDiff(diffRuns(one, one))).toBe("  8 the same\n");
});

test("a step that was cut off and a run that is not over are told as such", async () => {
  const { one } = await twoRuns();
  const cut = one.slice(0, one.findIndex((entry) => entry.type === "attempt.started" && entry.kind === "tool") + 1);
  const rows = diffRuns(cut, one);
  expect(rows.find(({ key }) => key === "turn-1/tool/0")).toMatchObject({ first: { outcome: "unfinished" }, second: { outcome: "done" } });
  expect(rows.at(-1)).toMatchObject({ key: "end", status: "changed", first: { name: "none" } });
});
