// Promise 7: a second pass over the same journal performs nothing and gives the same bytes; streamed and not streamed record the same.
import { createAgent, memoryStore, type RunEvent } from "airworthy";
import { describe, expect, test } from "vitest";
import { newWorld, scenarios } from "./scenarios.ts";

const quiet = (events: readonly RunEvent[]) => events.filter(({ type }) => type !== "text.delta");

describe.each(scenarios)("$name", ({ input, ends, options }) => {
  test("asked for again, it is answered from the journal by another agent object", async () => {
    const store = memoryStore();
    const world = newWorld();
    const first = await createAgent({ ...options(world), store }).run(input, { runId: "r" });
    expect(first.status).toBe(ends);
    const lines = await store.journal.load("r");

    const other = newWorld();
    const again = await createAgent({ ...options(other), store }).run(input, { runId: "r" });
    expect(JSON.stringify(again)).toBe(JSON.stringify(first));
    expect(await store.journal.load("r")).toEqual(lines);
    expect(other).toEqual(newWorld());
  });

  test("streamed, it takes the same steps, and a second stream shows the same events", async () => {
    const [plain, streamed] = [memoryStore(), memoryStore()];
    await createAgent({ ...options(newWorld()), store: plain }).run(input, { runId: "r" });
    const live: RunEvent[] = [];
    for await (const event of createAgent({ ...options(newWorld()), store: streamed }).stream(input, { runId: "r" })) live.push(event);
    expect(await streamed.journal.load("r")).toEqual(await plain.journal.load("r"));

    const replayed: RunEvent[] = [];
    for await (const event of createAgent({ ...options(newWorld()), store: streamed }).stream(input, { runId: "r" })) replayed.push(event);
    expect(quiet(replayed)).toEqual(quiet(live));
    const text = (events: readonly RunEvent[]) => events.map((event) => (event.type === "text.delta" ? event.text : "")).join("");
    expect(text(replayed)).toBe(text(live));
    expect(live.filter(({ type }) => type === "run.finished")).toHaveLength(1);
  });
});
