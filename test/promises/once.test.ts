// Promise 3, under a crash at every entry: what is done is not done again, acts keep their key, and what nobody knows is not guessed.
import { createAgent, memoryStore, type RunResult } from "airworthy";
import { describe, expect, test } from "vitest";
import { newWorld, scenarios } from "./scenarios.ts";

describe.each(scenarios)("$name", ({ input, options, resume }) => {
  test("cut after every entry and resumed, it ends the same or asks about the act in doubt", async () => {
    const store = memoryStore();
    const world = newWorld();
    const agent = createAgent({ ...options(world), store });
    const stopped = await agent.run(input, { runId: "r" });
    const whole = resume && stopped.status === "partial" ? await agent.resume("r", resume) : stopped;
    const lines = (await store.journal.load("r")) ?? [];
    expect(lines.length).toBeGreaterThan(4);

    for (let cut = 1; cut <= lines.length; cut++) {
      const crashed = memoryStore();
      await crashed.journal.create({ runId: "r", agent: "promises" }, lines.slice(0, cut));
      const before = actsIn(lines.slice(0, cut));
      const after = newWorld();
      const result = await createAgent({ ...options(after), store: crashed }).resume("r", resume ?? {});
      const where = `cut after ${cut}: ${lines[cut - 1]}`;

      const inDoubt = before.begun.filter((act) => /^(mail|broken)/.test(act) && !before.done.includes(act));
      if (inDoubt.length > 0) {
        expect(result.status, where).toBe("suspended");
        expect(result, where).toMatchObject({ waitingFor: [{ kind: "in-doubt" }] });
      } else {
        expect(result.status, where).toBe(whole.status);
        expect(result.messages, where).toEqual(whole.messages);
        const lived = (await crashed.journal.load("r")) ?? [];
        expect(result.usage, where).toEqual({ ...whole.usage, unreported: attemptsIn(lived) - whole.usage.modelCalls + failuresIn(whole) });
      }
      for (const act of after.acts) if (act.startsWith("mail")) expect(before.begun, where).not.toContain(act);
      for (const act of after.acts) if (act.startsWith("refund")) expect(world.acts, where).toContain(act);
      for (const done of before.done) expect(after.acts, where).not.toContain(done);
    }
  });
});

/** Attempts at model calls, those that a crash or a failure cut short included: until they report, nobody knows what they used. */
const attemptsIn = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('"attempt.started"') && line.includes('"model"')).length;

/** Of the calls counted, those that never reported. */
const failuresIn = ({ status, degraded }: RunResult<unknown>) =>
  (status === "failed" ? 1 : 0) + degraded.filter(({ model }) => model !== undefined).length;

/** Acts that the lines say were begun and done, in the words of the world. */
function actsIn(lines: readonly string[]) {
  const begun: string[] = [];
  const done: string[] = [];
  const names = new Map<string, string>();
  for (const line of lines) {
    const entry: { type: string; key: string; kind: string; name: string; attempt?: number; input?: { arguments: string } } =
      JSON.parse(line);
    if (entry.type === "attempt.started" && entry.kind === "tool" && entry.input) {
      const { id }: { id: string } = JSON.parse(entry.input.arguments);
      const act = entry.name === "mail" || entry.name === "refund" ? `${entry.name} ${id} r/${entry.key}` : `${entry.name} ${id}`;
      names.set(entry.key, act);
      begun.push(act);
    }
    if (entry.type === "step.done" && names.has(entry.key)) done.push(names.get(entry.key) ?? "");
  }
  return { begun, done };
}
