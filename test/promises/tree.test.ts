// Promise 3 for runs within runs: a crash at any entry of any of them, and a resume of the outermost, does nothing twice and comes to the same end.
import {
  AgentError,
  createAgent,
  memoryStore,
  type RunOptions,
  type RunResult,
  type RunUsage,
  type Spent,
  type Store,
  tool,
} from "airworthy";
import { autoClock, fakeClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { byTurn, call, cutStore, treeOf, writtenStore } from "./tree-world.ts";

const inner = "r>turn-1/tool/0";
const empty = z.object({});

async function whole() {
  const { store, written } = writtenStore();
  const acts: string[] = [];
  const result = await treeOf({ acts, store }).desk.run("go", { runId: "r", user: { id: "u", tenant: "t", roles: ["agent"] } });
  return { store, written, acts, result };
}

/** Without what depends on how often the process died: attempts that were paid and never reported. */
function countedOf({ usage }: RunResult<unknown>): RunUsage {
  const bare = <T extends Spent>(spent: T): T => ({ ...spent, unreported: 0 });
  const { own, byAgent, ...all } = usage;
  return {
    ...bare(all),
    ...(own ? { own: bare(own) } : {}),
    ...(byAgent ? { byAgent: Object.fromEntries(Object.entries(byAgent).map(([name, spent]) => [name, bare(spent)])) } : {}),
  };
}

/** Acts that were begun, and those that are known to be done, in the words of the world. */
function actsIn(written: readonly { readonly runId: string; readonly line: string }[], agents: ReadonlyMap<string, string>) {
  const begun = new Set<string>();
  const done = new Set<string>();
  for (const { runId, line } of written) {
    const entry: { type: string; key: string; kind: string; name: string } = JSON.parse(line);
    if (entry.kind !== "tool" || !["mail", "book", "note"].includes(entry.name)) continue;
    const act = `${entry.name} ${agents.get(runId)}/${runId}/${entry.key}`;
    if (entry.type === "attempt.started") begun.add(act);
    if (entry.type === "step.done") done.add(act);
  }
  return { begun, done };
}

const agentsIn = (written: Awaited<ReturnType<typeof whole>>["written"]) =>
  new Map(written.flatMap(({ header }) => (header ? [[header.runId, header.agent] as const] : [])));

describe("a crash at every entry of every run", () => {
  test("resumed, the acts in doubt are asked about by their run, and are looked up where somebody can; nothing is done twice", async () => {
    const { written, acts, result, store } = await whole();
    expect(result).toMatchObject({ status: "completed", output: "All done." });
    expect(acts).toHaveLength(8);
    expect(new Set(acts).size).toBe(8);
    const agents = agentsIn(written);
    expect([...agents.keys()]).toHaveLength(5);
    expect(written.length).toBeGreaterThan(60);

    for (let cut = 1; cut <= written.length; cut++) {
      const where = `cut after ${cut}: ${JSON.stringify(written[cut - 1])}`;
      const before = actsIn(written.slice(0, cut), agents);
      const doubtful = [...before.begun].filter((act) => !before.done.has(act) && !act.startsWith("book"));
      const crashed = await cutStore(written, cut);
      const after: string[] = [];
      const first = await treeOf({ acts: after, store: crashed }).desk.resume("r");
      const waiting =
        first.status === "suspended"
          ? first.waitingFor.map(({ tool: name, runId = "r", key }) => `${name} ${agents.get(runId)}/${runId}/${key}`)
          : [];
      expect(waiting.toSorted(), where).toEqual(doubtful.toSorted());

      const sent = (act: string) => before.begun.has(act);
      const last = waiting.length > 0 ? await treeOf({ acts: after, store: crashed, sent }).desk.resume("r") : first;
      expect(last.status, where).toBe("completed");
      expect(last.messages, where).toEqual(result.messages);
      expect(countedOf(last), where).toEqual(countedOf(result));
      for (const act of after) {
        expect(acts, where).toContain(act);
        expect([...before.done], where).not.toContain(act);
        if (!act.startsWith("book")) expect([...before.begun], where).not.toContain(act);
      }
      expect(new Set(after).size, where).toBe(after.length);
      for (const runId of agents.keys()) {
        const closing = (await crashed.journal.load(runId))?.findLast((line) => !line.includes('"note"'));
        expect(closing, where).toBe((await store.journal.load(runId))?.at(-1));
      }
    }
  });

  test("a run that is over is answered again to the byte, and no run within it is touched", async () => {
    const { store, written, acts, result } = await whole();
    const lines = written.length;
    const again = await treeOf({ acts, store }).desk.run("go", { runId: "r", user: { id: "u", tenant: "t" } });
    expect(JSON.stringify(again)).toBe(JSON.stringify(result));
    expect([written.length, acts.length]).toEqual([lines, 8]);
  });

  test("streamed, the same is written", async () => {
    const { written } = await whole();
    const streamed = writtenStore();
    const stream = treeOf({ acts: [], store: streamed.store }).desk.stream("go", {
      runId: "r",
      user: { id: "u", tenant: "t", roles: ["agent"] },
    });
    const runs = new Set<string>();
    for await (const event of stream) if (event.type === "run.started") runs.add(event.runId);
    expect(runs).toEqual(new Set(["r"]));
    const sorted = (lines: typeof written) => lines.map((one) => JSON.stringify(one)).toSorted();
    expect(sorted(streamed.written)).toEqual(sorted(written));
  });
});

test("usage is the whole tree's, each run counted once, with the share of each agent", async () => {
  const { store, result } = await whole();
  const { own, byAgent = {}, ...all } = result.usage;
  expect(own).toMatchObject({ modelCalls: 3, toolCalls: 4, totalTokens: 45 });
  expect(byAgent).toMatchObject({
    desk: { modelCalls: 3 },
    research: { modelCalls: 3, toolCalls: 2 },
    clerk: { modelCalls: 6, toolCalls: 6 },
  });
  expect(all).toMatchObject({ modelCalls: 12, toolCalls: 12, inputTokens: 120, outputTokens: 60, totalTokens: 180, unreported: 0 });
  const within = await treeOf({ acts: [], store }).research.resume(inner);
  expect(within).toMatchObject({ status: "completed", output: { found: "it" }, usage: { modelCalls: 5, own: { modelCalls: 3 } } });
});

describe("every run of the tree", () => {
  test("says whose part it is and acts for the same user, in the same conversation, with the same live objects", async () => {
    const { store, written } = writtenStore();
    const seen: unknown[] = [];
    const look = tool({
      description: "d",
      effect: "read",
      inputSchema: empty,
      execute: (_, { run, context }) => {
        seen.push([run.id, run.parent, run.user, Object.isFrozen(run.user), run.conversationId, context]);
        return "x";
      },
    });
    const child = createAgent({ name: "child", store, model: byTurn({ calls: [call("look", {})] }, "x"), tools: { look } });
    const model = byTurn({ calls: [call("child"), call("child")] }, "x");
    const parent = createAgent({ name: "parent", store, model, tools: { child: child.asTool({ description: "d" }) } });
    const [user, context] = [{ id: "u", tenant: "t", roles: ["a"] }, { db: 1 }];
    await parent.run("go", { runId: "r", user, context, conversationId: "c" });
    expect(seen).toEqual([0, 1].map((nth) => [`r>turn-1/tool/${nth}`, "r", user, true, "c", context]));
    const headers = written.flatMap(({ header }) => (header ? [header] : []));
    const about = { user: "u", tenant: "t", conversationId: "c" };
    expect(headers).toEqual([
      { runId: "r", agent: "parent", ...about },
      ...[0, 1].map((nth) => ({ runId: `r>turn-1/tool/${nth}`, agent: "child", ...about, parent: "r" })),
    ]);
    expect((await child.journal(inner))[0]).toMatchObject({ type: "run.started", parent: "r", user });
  });

  test("acts for a user whom nobody can change, also after a resume", async () => {
    const store = memoryStore();
    let up = false;
    const rise = tool({
      description: "d",
      effect: "read",
      inputSchema: empty,
      execute: (_, { run }) => Reflect.set(run.user?.roles ?? [], 0, "admin") || Reflect.set(run.user ?? {}, "id", "root"),
    });
    const child = createAgent({ name: "child", store, instructions: ({ user }) => JSON.stringify(user), model: byTurn("x") });
    const model = scriptedModel(({ messages }) => {
      if (!up) return new AgentError("quota_exhausted", "x");
      const turn = messages.filter(({ role }) => role === "assistant").length;
      return [{ calls: [call("rise", {})] }, { calls: [call("child")] }, "x"][turn] ?? "x";
    });
    const tools = { rise, child: child.asTool({ description: "d" }) };
    const parent = createAgent({ name: "parent", store, model, tools });
    expect(await parent.run("go", { runId: "r", user: { id: "u", roles: ["guest"] } })).toMatchObject({
      status: "failed",
      resumable: true,
    });
    up = true;
    expect(await parent.resume("r")).toMatchObject({ status: "completed" });
    const told = (await child.journal("r>turn-2/tool/0")).find((entry) => entry.type === "decided" && entry.reason === "instructions");
    expect(told).toMatchObject({ choice: '{"id":"u","roles":["guest"]}' });
  });

  test("is one tenant's, however many there are", async () => {
    const store = memoryStore();
    const met: string[] = [];
    const who = tool({
      description: "d",
      effect: "read",
      inputSchema: empty,
      execute: (_, { run, context }) => {
        met.push(`${run.id} ${run.user?.tenant} ${String(context)}`);
        return run.user?.tenant;
      },
    });
    const child = createAgent({
      name: "child",
      store,
      model: scriptedModel(({ messages }) =>
        messages.at(-1)?.role === "tool" ? `for ${JSON.stringify(messages.at(-1)?.content)}` : { calls: [call("who", {})] },
      ),
      tools: { who },
    });
    const parent = createAgent({
      name: "parent",
      store,
      model: byTurn({ calls: [call("child")] }, "x"),
      tools: { child: child.asTool({ description: "d" }) },
    });
    const tenants = Array.from({ length: 50 }, (_, nth) => `t${nth}`);
    const results = await Promise.all(
      tenants.map((tenant) => parent.run("go", { runId: `r-${tenant}`, user: { id: "u", tenant }, context: tenant })),
    );
    expect(met.toSorted()).toEqual(tenants.map((tenant) => `r-${tenant}>turn-1/tool/0 ${tenant} ${tenant}`).toSorted());
    expect(results.map(({ messages }) => messages[2]?.content)).toEqual(tenants.map((tenant) => `for "${tenant}"`));
  });

  test.each<[string, RunOptions]>([
    ["tenant", { user: { id: "u", tenant: "two" }, conversationId: "c" }],
    ["conversation", { user: { id: "u", tenant: "one" }, conversationId: "d" }],
    ["user, who is nobody", { conversationId: "c" }],
  ])("is not taken for that of another %s, even when stores are mixed up", async (_, asked) => {
    const shared = memoryStore();
    const child = createAgent({ name: "child", store: shared, model: scriptedModel(() => "a secret of the first") });
    const make = () =>
      createAgent({ name: "parent", model: byTurn({ calls: [call("child")] }, "x"), tools: { child: child.asTool({ description: "d" }) } });
    await make().run("go", { runId: "r", user: { id: "u", tenant: "one" }, conversationId: "c" });
    const other = await make().run("go", { runId: "r", ...asked });
    expect(other.status).toBe("completed");
    expect(JSON.stringify(other.messages)).toContain("run_id_conflict");
    expect(JSON.stringify(other)).not.toContain("secret");
    expect((await shared.journal.load(inner))?.some((line) => line.includes("run.resumed"))).toBe(false);
  });

  test("keeps to ids that nobody else can choose", async () => {
    await expect(treeOf({ acts: [], store: memoryStore() }).clerk.run("go", { runId: inner })).rejects.toMatchObject({
      code: "input_invalid",
    });
  });
});

describe("an act in doubt within", () => {
  test("suspends every run above; a resume of the outermost goes on with all of them", async () => {
    const [store, clock] = [memoryStore(), fakeClock()];
    const started = Promise.withResolvers<void>();
    const pay = vi.fn(() => (started.resolve(), new Promise<string>(() => {})));
    const make = (known: boolean) => {
      const reconcile = () => ({ status: "done", output: "paid" }) as const;
      const payTool = tool({
        description: "d",
        effect: "pay",
        inputSchema: empty,
        timeoutMs: 1_000,
        execute: pay,
        ...(known ? { reconcile } : {}),
      });
      const till = createAgent({
        name: "till",
        store,
        clock,
        model: byTurn({ calls: [call("pay", {})] }, "Paid."),
        tools: { pay: payTool },
      });
      const shop = createAgent({
        name: "shop",
        store,
        clock,
        model: byTurn({ calls: [call("till")] }, "Sold."),
        tools: { till: till.asTool({ description: "d" }) },
      });
      return createAgent({
        name: "desk",
        store,
        clock,
        model: byTurn({ calls: [call("shop")] }, "Bye."),
        tools: { shop: shop.asTool({ description: "d" }) },
      });
    };
    const running = make(false).run("go", { runId: "r" });
    await started.promise;
    await clock.advance(1_050);
    const waitingFor = [{ kind: "in-doubt", key: "turn-1/tool/0", tool: "pay", runId: `${inner}>turn-1/tool/0` }];
    const stopped = await running;
    expect(stopped).toMatchObject({ status: "suspended", waitingFor, resumable: true, usage: { modelCalls: 3 } });
    expect(await make(false).resume("r")).toMatchObject({ status: "suspended", waitingFor });
    const end = await make(true).resume("r");
    expect(end).toMatchObject({ status: "completed", output: "Bye.", usage: { modelCalls: 6, toolCalls: 3, own: { modelCalls: 2 } } });
    expect(pay).toHaveBeenCalledTimes(1);
  });
});

describe("a store that fails under a run within", () => {
  /** A parent and its child, whose store fails as it is told. */
  function overStore(fails: { reading?: boolean; writing?: boolean }) {
    const own = memoryStore();
    const acts: string[] = [];
    const failing: Store = {
      journal: {
        ...own.journal,
        load: (runId) => (fails.reading ? Promise.reject(new Error("gone")) : own.journal.load(runId)),
        append: (...args) => {
          if (fails.writing) throw new Error("disk full");
          return own.journal.append(...args);
        },
      },
    };
    const execute = (_: object, { idempotencyKey }: { idempotencyKey: string }) => {
      fails.writing = acts.push(idempotencyKey) === 1;
      return "paid";
    };
    const pay = tool({ description: "d", effect: "pay", repeat: "with-same-key", inputSchema: empty, execute });
    const common = { clock: autoClock() };
    const model = byTurn({ calls: [call("pay", {})] }, "Paid.");
    const child = createAgent({ ...common, name: "child", store: failing, model, tools: { pay } });
    const tools = { child: child.asTool({ description: "d" }) };
    return { acts, parent: createAgent({ ...common, name: "parent", model: byTurn({ calls: [call("child")] }, "x"), tools }) };
  }

  test("leaves the run above as a crash does; a resume goes on with both", async () => {
    const fails = { reading: true, writing: false };
    const { acts, parent } = overStore(fails);
    const broken = { status: "failed", error: { code: "journal_unavailable" }, resumable: true };
    expect(await parent.run("go", { runId: "r" })).toMatchObject(broken);
    fails.reading = false;
    expect(await parent.resume("r")).toMatchObject(broken);
    fails.writing = false;
    expect(await parent.resume("r")).toMatchObject({ status: "completed" });
    expect(acts).toEqual([`child/${inner}/turn-1/tool/0`, `child/${inner}/turn-1/tool/0`]);
  });
});

test("a run within that an earlier owner began in the meantime is taken over, under the caps it began with", async () => {
  const { journal } = memoryStore();
  let seen = true;
  const clock = autoClock();
  const make = (turns: number, reply: ScriptedReply) => {
    const blind: Store = {
      journal: {
        ...journal,
        load: (runId) => (seen || runId !== inner ? journal.load(runId) : ((seen = true), Promise.resolve(undefined))),
      },
    };
    const child = createAgent({ name: "child", store: blind, clock, model: scriptedModel(() => reply), policy: { limits: { turns } } });
    const tools = { child: child.asTool({ description: "d" }) };
    return { child, parent: createAgent({ name: "parent", store: blind, clock, model: byTurn({ calls: [call("child")] }, "x"), tools }) };
  };
  const called = Promise.withResolvers<void>();
  const stale = make(7, () => (called.resolve(), new Promise(() => {})));
  const leaving = new AbortController();
  const left = stale.parent.run("go", { runId: "r", signal: leaving.signal });
  await called.promise;
  seen = false;
  const { child, parent } = make(9, "Found.");
  expect(await parent.resume("r")).toMatchObject({ status: "completed", usage: { modelCalls: 3 } });
  const runs = (await child.journal(inner)).filter(({ type }) => type.startsWith("run."));
  expect(runs).toMatchObject([{ caps: { turns: 7 } }, { type: "run.resumed", caps: { turns: 7 } }, { status: "completed" }]);
  leaving.abort();
  expect(await left).toMatchObject({ status: "failed", error: { code: "journal_conflict" } });
});
