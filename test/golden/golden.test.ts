// Journals of every release are answered, replayed and gone on with by the code of today, for ever. A failure here means that the code has to
// change, not the journal.
import { createAgent, type Entry, importRun, memoryStore, type RunResult } from "airworthy";
import { describe, expect, test } from "vitest";
import { record, untouchable } from "../promises/recorded-runs.ts";
import { newWorld } from "../promises/scenarios.ts";
import { goldens } from "./journals.ts";

async function storeWith(lines: readonly string[]) {
  const store = memoryStore();
  await store.journal.create({ runId: "r", agent: "promises" }, lines);
  return store;
}

const isStopped = (lines: readonly string[]) => lines.at(-1)?.includes('"run.stopped"') ?? false;

test("there are journals, of every kind of end", () => {
  const ends = goldens.flatMap(({ lines }) => {
    const last: Entry = JSON.parse(lines.at(-1) ?? "");
    return "status" in last ? [last.status] : [];
  });
  expect(new Set(ends)).toEqual(new Set(["completed", "partial", "refused", "failed", "cancelled", "suspended", "escalated"]));
});

/** A result without what results did not have when some of these journals were written. */
const asOf = (then: string) => (result: RunResult<unknown>) =>
  JSON.stringify(then.includes('"cost":{"usd"') ? result : { ...result, cost: undefined });

describe.each(goldens)("$name", ({ run, lines, result }) => {
  const options = () => run.options(newWorld(), new AbortController());

  test("is replayed to the same result, and nothing is touched", async () => {
    const { agent, touched } = untouchable(options(), lines);
    expect(asOf(result)(await agent.replay(importRun(lines.join("\n"))))).toBe(result);
    expect(touched).toEqual([]);
  });

  test("is answered with the same result, and stays as it is", async () => {
    const store = await storeWith(lines);
    const [started] = importRun(lines.join("\n"));
    if (started?.type !== "run.started") throw new Error("no start");
    expect(asOf(result)(await createAgent({ ...options(), store }).run(started.input, { runId: "r" }))).toBe(result);
    expect(await store.journal.load("r")).toEqual(lines);
  });

  test("is gone on with like a run of today: after its stop, and after a crash", async () => {
    const { lines: today } = await record(run, "plain");
    const cut = (all: readonly string[]) => all.slice(0, all.findIndex((line) => line.includes('"step.done"')) + 1);
    const pairs = [[cut(lines), cut(today)], ...(isStopped(lines) ? [[lines, today]] : [])];
    for (const pair of pairs) {
      const [then, now] = await Promise.all(
        pair.map(async (begun) => {
          const store = await storeWith(begun);
          const stop = new AbortController();
          const agent = createAgent({ ...run.options(newWorld(), stop), store });
          const { status, messages, usage, resumable } = await agent.resume("r", { limits: { turns: 9 }, signal: stop.signal });
          return { status, messages, usage, resumable };
        }),
      );
      expect(then).toEqual(now);
    }
  });
});
