// One owner at a time: a run whose process has died is gone on with by exactly one other, and one that is shut down leaves it in good order.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentError, type AgentOptions, createAgent, type RunResult, type Store, tool } from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { fakeClock, hang, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";

let folder = "";
let storeTime = 0;
let store: Store;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "airworthy-recovery-"));
  storeTime = Date.UTC(2026, 0, 1);
  store = sqlite(join(folder, "runs.db"), { now: () => storeTime });
});
afterEach(async () => {
  await store.close?.();
  rmSync(folder, { recursive: true });
});

const acts: string[] = [];
beforeEach(() => void (acts.length = 0));
const act = tool({
  description: "d",
  effect: "write",
  inputSchema: z.object({ n: z.number() }),
  execute: ({ n }, { idempotencyKey }) => {
    acts.push(`${n} ${idempotencyKey}`);
    return "done";
  },
});

/** An agent as one process has it: a clock of its own, and the store that all share. */
function worker(replies: readonly ScriptedReply[] | ((turn: number) => ScriptedReply), more: Partial<AgentOptions> = {}) {
  const clock = fakeClock();
  const model = scriptedModel((request) => {
    const turn = request.messages.filter(({ role }) => role === "assistant").length;
    return (typeof replies === "function" ? replies(turn) : replies[turn]) ?? `no reply for turn ${turn + 1}`;
  });
  const agent = createAgent({ name: "worker", model, clock, store, tools: { act }, ...more });
  return { agent, clock, model };
}

const callAct = { calls: [{ name: "act", arguments: { n: 1 } }] };
const leaseMs = 30_000;
const passLease = () => void (storeTime += leaseMs + 1);

/** Lets what is ready go on, the store's own work included. */
async function settle(clock: { advance(ms: number): Promise<void> }) {
  for (let turn = 0; turn < 10; turn++) await clock.advance(0);
}

/** A run that has done its act and hangs in its second model call, as of a process that has died there. */
async function diedRun(runId: string) {
  const dead = worker([callAct, hang()]);
  const seen = dead.agent.stream("go", { runId });
  const running = seen.result;
  for await (const event of dead.agent.stream("go", { runId }))
    if (event.type === "attempt.started" && event.key === "turn-2/model/0") break;
  return { ...dead, running };
}

const resumesOf = async (agent: { journal(runId: string): Promise<readonly { readonly type: string }[]> }, runId: string) =>
  (await agent.journal(runId)).filter(({ type }) => type === "run.resumed").length;

describe("recover()", () => {
  test("goes on with a run whose process has died, and with none that is alive", async () => {
    const dead = await diedRun("r");
    const { agent, clock } = worker([callAct, "Done."]);
    const results: RunResult[] = [];
    const recovery = agent.recover({ onResult: (result) => results.push(result) });
    await settle(clock);
    expect(results).toEqual([]);
    passLease();
    await clock.advance(5_000);
    await settle(clock);
    await recovery.stop();
    expect(results).toMatchObject([{ runId: "r", status: "completed", output: "Done." }]);
    expect(acts).toHaveLength(1);
    expect(await resumesOf(agent, "r")).toBe(1);
    expect(clock.pending).toBe(0);
    await dead.clock.advance(leaseMs / 3); // Were it alive after all, it would hear that the run is somebody else's.
    expect(await dead.running).toMatchObject({ status: "failed", resumable: false, error: { code: "journal_conflict" } });
  });

  test("leaves a long run alone whose process gives signs of life", async () => {
    const alive = await diedRun("r");
    const { agent, clock } = worker([callAct, "Done."]);
    const recovery = agent.recover({ everyMs: 1_000 });
    for (let beat = 0; beat < 12; beat++) {
      storeTime += leaseMs / 3;
      await alive.clock.advance(1);
      await alive.clock.advance(leaseMs / 3 - 1);
      await settle(alive.clock);
      await clock.advance(1_000);
      await settle(clock);
      if (alive.clock.pending === 0) break;
    }
    await recovery.stop();
    // Its own total deadline ended it, nobody else.
    expect(await alive.running).toMatchObject({ status: "partial" });
    expect(await resumesOf(agent, "r")).toBe(0);
  });

  test("of many workers one gets each run", async () => {
    const ids = Array.from({ length: 12 }, (_, number) => `r${number}`);
    for (const id of ids) await diedRun(id);
    passLease();
    const workers = Array.from({ length: 4 }, () => worker([callAct, "Done."]));
    const results: RunResult[] = [];
    const recoveries = workers.map(({ agent }) => agent.recover({ concurrency: 3, onResult: (result) => results.push(result) }));
    for (let turn = 0; turn < 50 && results.length < ids.length; turn++) for (const { clock } of workers) await settle(clock);
    await Promise.all(recoveries.map((recovery) => recovery.stop()));
    expect(results.map(({ runId, status }) => `${runId} ${status}`).toSorted()).toEqual(ids.map((id) => `${id} completed`).toSorted());
    for (const id of ids) expect(await resumesOf(workers[0]!.agent, id)).toBe(1);
    expect(acts).toHaveLength(ids.length);
    expect(new Set(acts).size).toBe(ids.length);
  });

  test("goes on with no more runs at a time than it was told", async () => {
    const ids = ["r0", "r1", "r2", "r3", "r4"];
    for (const id of ids) await diedRun(id);
    passLease();
    const held: (() => void)[] = [];
    const waiting = scriptedModel(() => new Promise<ScriptedReply>((resolve) => held.push(() => resolve("Done."))));
    const { agent, clock } = worker([], { model: waiting });
    const results: RunResult[] = [];
    const recovery = agent.recover({ concurrency: 2, onResult: (result) => results.push(result) });
    for (let turn = 0; turn < 20 && results.length < ids.length; turn++) {
      await settle(clock);
      expect(held.length).toBeLessThanOrEqual(2);
      held.shift()?.();
    }
    await recovery.stop();
    expect(results).toHaveLength(ids.length);
  });

  test("hands out live objects, and survives what cannot be gone on with", async () => {
    await diedRun("r");
    const other = worker([callAct], { name: "other" });
    await other.agent.run("go", { runId: "foreign" });
    passLease();
    const seen: unknown[] = [];
    const look = tool({
      description: "d",
      effect: "read",
      inputSchema: z.object({}),
      execute: (_, { context }) => void seen.push(context),
    });
    const { agent, clock } = worker([callAct, { calls: [{ name: "look", arguments: {} }] }, "Done."], { tools: { act, look } });
    const recovery = agent.recover({
      context: ({ id }) => ({ for: id }),
      onResult: () => {
        throw new Error("a listener's own");
      },
    });
    await settle(clock);
    await settle(clock);
    await recovery.stop();
    expect(seen).toEqual([{ for: "r" }]);
  });

  test("a hook that fails gives the run back, and one that rejects later disturbs nobody", async () => {
    await diedRun("r");
    passLease();
    const { agent, clock } = worker([callAct, "Done."]);
    let asked = 0;
    const results: RunResult[] = [];
    const recovery = agent.recover({
      everyMs: 1_000,
      context: () => (asked++ === 0 ? Promise.reject(new Error("no database")) : { database: true }),
      onResult: (result) => {
        results.push(result);
        return Promise.reject(new Error("a listener's own"));
      },
    });
    await settle(clock);
    expect([asked, results]).toEqual([1, []]);
    await clock.advance(1_000);
    await settle(clock);
    await recovery.stop();
    expect(results).toMatchObject([{ status: "completed" }]);
  });

  test("a store that does not answer holds up no heartbeat, no look and no stop", async () => {
    let hanging = 0;
    const never = () => (hanging++, new Promise<never>(() => {}));
    const journal = {
      ...store.journal,
      renew: () => (hanging === 0 ? never() : Promise.resolve(beats.push("beat") > 0 ? [] : [])),
      free: never,
      release: never,
    };
    const beats: string[] = [];
    const { agent, clock } = worker([callAct, hang()], { store: { ...store, journal } });
    const running = agent.run("go", { runId: "r", timeouts: { totalMs: 200_000 } });
    while (acts.length === 0) await settle(clock);
    for (let third = 0; third < 4; third++) await clock.advance(leaseMs / 3);
    expect(beats.length).toBeGreaterThanOrEqual(2);
    const recovery = agent.recover();
    await settle(clock);
    await recovery.stop();
    const drained = agent.drain({ withinMs: 10 });
    await clock.advance(10);
    await clock.advance(2_000);
    await drained;
    expect(await running).toMatchObject({ error: { code: "parked" } });
  });

  test.each([{ concurrency: 0 }, { everyMs: -1 }, { every: 1 }])("refuses %o", (options) => {
    const { agent } = worker([]);
    expect(() => agent.recover(JSON.parse(JSON.stringify(options)))).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
  });

  test.each(["asked for", "shut down"])("what it took while it was %s it gives back at once", async (meanwhile) => {
    await diedRun("r");
    passLease();
    const [claiming, claim, load] = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
    const slow: Store["journal"] = {
      ...store.journal,
      claim: async (...asked) => {
        claiming?.resolve();
        await claim?.promise;
        return store.journal.claim(...asked);
      },
      load: async (runId) => {
        await load?.promise;
        return store.journal.load(runId);
      },
    };
    const { agent, clock } = worker([callAct, "Done."], { store: { ...store, journal: slow } });
    const recovery = agent.recover();
    await claiming?.promise;
    const other = meanwhile === "asked for" ? agent.run("go", { runId: "r" }) : agent.drain({ withinMs: 1_000 });
    const stopped = recovery.stop();
    await settle(clock);
    claim?.resolve();
    await settle(clock);
    load?.resolve();
    await Promise.all([other, stopped]);
    const next = worker([callAct, "Done."]);
    expect(await next.agent.run("go", { runId: "r" })).toMatchObject({ status: "completed", output: "Done." });
  });

  test("does not look again at once for what it could not take, but in its own time", async () => {
    await diedRun("r");
    passLease();
    const load = Promise.withResolvers<void>();
    let looks = 0;
    const journal: Store["journal"] = {
      ...store.journal,
      load: async (runId) => {
        await load.promise;
        return store.journal.load(runId);
      },
      free: async (...asked) => {
        looks += 1;
        await new Promise((resolve) => setImmediate(resolve));
        return (await store.journal.free?.(...asked)) ?? [];
      },
    };
    const { agent, clock } = worker([callAct, "Done."], { store: { ...store, journal } });
    const running = agent.run("go", { runId: "r" });
    const recovery = agent.recover({ everyMs: 1_000 });
    await settle(clock);
    expect(looks).toBe(1);
    await clock.advance(1_000);
    await settle(clock);
    expect(looks).toBe(2);
    load.resolve();
    expect(await running).toMatchObject({ status: "completed" });
    await recovery.stop();
  });

  test("does not try again at once what the store would not let it go on with", async () => {
    await diedRun("r");
    passLease();
    const append: Store["journal"]["append"] = (runId, at, lines, phase) => {
      if (!lines[0]?.includes("run.resumed")) throw new Error("disk full");
      return store.journal.append(runId, at, lines, phase);
    };
    const { agent, clock } = worker([callAct, "Done."], { store: { ...store, journal: { ...store.journal, append } } });
    const results: RunResult[] = [];
    const recovery = agent.recover({ everyMs: 1_000, onResult: (result) => results.push(result) });
    await settle(clock);
    expect(results).toMatchObject([{ status: "failed", error: { code: "journal_unavailable" } }]);
    await recovery.stop();
    expect(await resumesOf(agent, "r")).toBe(1);
  });

  test("says so when the store keeps no leases", () => {
    const journal = { ...store.journal };
    delete journal.free;
    const { agent } = worker([], { store: { journal } });
    expect(() => agent.recover()).toThrow(/leases/);
  });
});

test("the same id asked for again: refused while somebody may be on it, gone on with when its process has died", async () => {
  await diedRun("r");
  const { agent } = worker([callAct, "Done."]);
  expect(await agent.run("go", { runId: "r" })).toMatchObject({ status: "failed", error: { code: "run_active" } });
  passLease();
  expect(await agent.run("other", { runId: "r" })).toMatchObject({ error: { code: "run_id_conflict" } });
  expect(await agent.run("go", { runId: "r" })).toMatchObject({ status: "completed", output: "Done." });
  expect(acts).toHaveLength(1);
});

test("a fork asked for again is gone on with under its own parts when its process has died", async () => {
  const base = worker([callAct, "Done."]);
  await base.agent.run("go", { runId: "r" });
  const forking = { at: "turn-1", effects: "simulate", runId: "f" } as const;
  const dead = worker([hang()]);
  const seen = dead.agent.forkStream("r", { ...forking, model: scriptedModel([hang()], { id: "other" }) });
  while (!(await store.journal.load("f"))?.some((line) => /"attempt.started".*"other"/.test(line))) await settle(dead.clock);
  passLease();
  const result = await worker([]).agent.fork("r", { ...forking, model: scriptedModel(["From other."], { id: "other" }) });
  expect(result).toMatchObject({ status: "completed", output: "From other." });
  await dead.clock.advance(leaseMs);
  expect(await seen.result).toMatchObject({ error: { code: "journal_conflict" } });
});

describe("drain()", () => {
  const slow = (go: Promise<unknown>) =>
    tool({
      description: "d",
      effect: "write",
      inputSchema: z.object({ n: z.number() }),
      execute: async () => {
        acts.push("begun");
        await go;
        acts.push("done");
        return "done";
      },
    });

  test("finishes what is being done, leaves the run, and gives it back at once", async () => {
    const go = Promise.withResolvers<void>();
    const { agent, clock, model } = worker([callAct, "Done."], { tools: { act: slow(go.promise) } });
    const running = agent.run("go", { runId: "r" });
    while (acts.length === 0) await settle(clock);
    const drained = agent.drain({ withinMs: 10_000 });
    expect(await agent.run("go")).toMatchObject({ status: "failed", error: { code: "parked" } });
    go.resolve();
    await drained;
    expect(await running).toMatchObject({ status: "failed", resumable: true, error: { code: "parked" } });
    expect([acts, model.calls]).toEqual([["begun", "done"], 1]);
    expect(clock.pending).toBe(0);

    const next = worker([callAct, "Done."], { tools: { act: slow(go.promise) } });
    const results: RunResult[] = [];
    const recovery = next.agent.recover({ onResult: (result) => results.push(result) });
    await settle(next.clock);
    await settle(next.clock);
    await recovery.stop();
    expect(results).toMatchObject([{ runId: "r", status: "completed", output: "Done." }]);
    expect(acts).toEqual(["begun", "done"]);
  });

  test("makes no further attempt, and leaves the run to try again elsewhere", async () => {
    const busy = new AgentError("provider_unavailable", "Busy.");
    const { agent, model } = worker(() => busy, { resilience: { retry: { attempts: 5, baseMs: 2_000 } } });
    const running = agent.run("go", { runId: "r" });
    const drained = agent.drain({ withinMs: 10_000 });
    expect(await running).toMatchObject({ status: "failed", resumable: true, error: { code: "parked" } });
    await drained;
    expect(model.calls).toBeLessThanOrEqual(1);
    expect(await worker(["Done."]).agent.resume("r")).toMatchObject({ status: "completed", output: "Done." });
  });

  test("aborts what takes longer, and what nobody knows is in doubt", async () => {
    const { agent, clock } = worker([callAct], { tools: { act: slow(new Promise(() => {})) } });
    const running = agent.run("go", { runId: "r" });
    while (acts.length === 0) await settle(clock);
    const drained = agent.drain({ withinMs: 1_000 });
    await clock.advance(1_000);
    await clock.advance(100);
    await drained;
    expect(await running).toMatchObject({ status: "failed", error: { code: "parked" } });
    const next = worker([callAct, "Done."], { tools: { act: slow(Promise.resolve()) } });
    expect(await next.agent.resume("r")).toMatchObject({ status: "suspended", waitingFor: [{ kind: "in-doubt", tool: "act" }] });
    expect(acts).toEqual(["begun"]);
  });

  test("parks a resumed run whose own code on the line heeds nothing; its earlier stop closes nothing", async () => {
    const stopped = worker([callAct, "Done."], { policy: { limits: { turns: 1 } } });
    expect(await stopped.agent.run("go", { runId: "r" })).toMatchObject({ status: "partial" });
    const reached = Promise.withResolvers<void>();
    const stuck = worker([callAct, "Done."], { stages: { outputFilter: () => (reached.resolve(), new Promise(() => {})) } });
    const resumed = stuck.agent.resume("r", { limits: { turns: 5 } });
    await reached.promise;
    const drained = stuck.agent.drain({ withinMs: 10 });
    for (let turn = 0; turn < 5; turn++) {
      await stuck.clock.advance(50);
      await settle(stuck.clock);
    }
    await drained;
    expect(await resumed).toMatchObject({ status: "failed", resumable: true, error: { code: "parked" } });
    const next = worker([callAct, "Done."]);
    expect((await next.agent.journal("r")).at(-1)?.type).not.toBe("run.ended");
    expect(await next.agent.resume("r")).toMatchObject({ status: "completed", output: "Done." });
    expect(acts).toHaveLength(1);
  });

  test("parks a run within a run together with the one above, and both are gone on with", async () => {
    const go = Promise.withResolvers<void>();
    const pair = () => {
      const expert = worker([callAct, "Paid."], { name: "expert", tools: { act: slow(go.promise) } });
      const expertTool = expert.agent.asTool({ description: "Pays." });
      const desk = worker([{ calls: [{ name: "expert", arguments: { task: "pay" } }] }, "Done."], { tools: { expert: expertTool } });
      return { expert, desk };
    };
    const first = pair();
    const running = first.desk.agent.run("go", { runId: "r" });
    while (acts.length === 0) await settle(first.desk.clock);
    const drained = first.desk.agent.drain({ withinMs: 10_000 });
    go.resolve();
    await drained;
    expect(await running).toMatchObject({ status: "failed", error: { code: "parked" } });
    expect(first.expert.model.calls).toBe(1);

    const next = pair();
    const results: RunResult[] = [];
    // The expert's own worker leaves the run within a run to whoever goes on with the one above.
    const recoveries = [next.expert.agent.recover(), next.desk.agent.recover({ onResult: (result) => results.push(result) })];
    for (let turn = 0; turn < 10 && results.length === 0; turn++) await settle(next.desk.clock);
    await Promise.all(recoveries.map((recovery) => recovery.stop()));
    expect(results).toMatchObject([{ runId: "r", status: "completed", output: "Done." }]);
    expect(acts).toEqual(["begun", "done"]);
  });

  test("lets a run that has nothing left to begin come to its end", async () => {
    const { agent } = worker(["Done."]);
    const running = agent.run("go");
    const [result] = await Promise.all([running, agent.drain({ withinMs: 1_000 })]);
    expect(["completed", "failed"]).toContain(result.status);
    if (result.status === "failed") expect(result.error.code).toBe("parked");
  });

  test("checks its option", async () => {
    await expect(worker([]).agent.drain(JSON.parse("{}"))).rejects.toMatchObject({ code: "input_invalid" });
  });
});
