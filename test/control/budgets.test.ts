// Budgets in the hands of people: what stopped a run lets it go on, whoever changed it and wherever, and it is written down who did and why.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AgentOptions,
  type BudgetChange,
  type BudgetState,
  createAgent,
  createControlPlane,
  memoryStore,
  type Store,
  tool,
  type WholeStore,
} from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { fakeClock, type ScriptedReply, scriptedModel } from "airworthy/testing";
import { describe, expect, onTestFinished, test } from "vitest";

type Budget = NonNullable<NonNullable<AgentOptions["policy"]>["budget"]>;

const anna = { by: "anna", why: "Ticket 4711." };
const day = 24 * 3_600_000;
const user = { id: "u1" };
const ofUser = { scope: "user", who: ["u1"], measure: "calls" } as const;

function fileStore(now: () => number) {
  const folder = mkdtempSync(join(tmpdir(), "airworthy-control-"));
  const path = join(folder, "runs.db");
  const store = sqlite(path, { now });
  const reader = sqlite(path, { now, role: "reader" });
  onTestFinished(async () => {
    await Promise.all([store.close(), reader.close()]);
    rmSync(folder, { recursive: true });
  });
  return { store, reader };
}

/** An agent, and a control plane beside it on the same store. */
function desk(budget: Budget, replies: readonly ScriptedReply[] = [], given?: { store: Store; seenBy?: Store }, clock = fakeClock()) {
  const now = () => clock.now();
  const store = given?.store ?? memoryStore({ now });
  const model = scriptedModel((_request, _context, call) => replies[call - 1] ?? "Done.");
  const look = tool({ description: "Looks.", inputSchema: { type: "object" }, effect: "read", execute: () => "seen" });
  const agent = createAgent({
    name: "desk",
    model,
    tools: { look },
    prices: { scripted: { input: 1, output: 2 } },
    policy: { budget: { wrapUp: false, ...budget } },
    store,
    clock,
  });
  const { budgets } = createControlPlane({ store: given?.seenBy ?? store, now });
  return { agent, model, budgets, clock, store, now };
}

const looking = { calls: [{ name: "look", arguments: {} }] };
const brief = (states: readonly BudgetState[]) => states.map(({ measure, limit, spent, reserved }) => [measure, limit, spent, reserved]);
const steps = (changes: readonly BudgetChange[]) => changes.map(({ what, from, to }) => [what, from, to]);

describe.each(["memory", "sqlite"])("a run that its user's budget stopped, store in %s", (kind) => {
  const place = (now: () => number) => {
    if (kind === "memory") return undefined;
    const { store, reader } = fileStore(now);
    return { store, seenBy: reader };
  };
  const stopped = async () => {
    const clock = fakeClock();
    const made = desk(
      { user: { calls: 1, per: "day" } },
      [],
      place(() => clock.now()),
      clock,
    );
    expect(await made.agent.run("Hello", { user })).toMatchObject({ status: "completed" });
    expect(await made.agent.run("Hello", { user, runId: "r" })).toMatchObject({ status: "refused", error: { code: "budget_exceeded" } });
    return made;
  };

  test("goes on when it is raised, on all days to come", async () => {
    const { agent, budgets, clock } = await stopped();
    expect(await budgets.raise(ofUser, { to: 2, ...anna })).toMatchObject({ what: "raise", from: 1, to: 2, ...anna });
    expect(await agent.resume("r")).toMatchObject({ status: "completed" });
    await clock.advance(day);
    for (const status of ["completed", "completed", "refused"]) expect(await agent.run("Hello", { user })).toMatchObject({ status });
  });

  test("goes on when more is granted, on this day", async () => {
    const { agent, budgets, clock } = await stopped();
    expect(await budgets.grant(ofUser, { amount: 1, ...anna })).toMatchObject({ what: "grant", from: 0, to: 1, window: "2026-01-01" });
    expect(await agent.run("Hello", { user, runId: "r" })).toMatchObject({ status: "completed" });
    expect(brief(await budgets.list())).toEqual([["calls", 2, 2, 0]]);
    await clock.advance(day);
    expect(brief(await budgets.list())).toEqual([["calls", 1, 0, 0]]);
    for (const status of ["completed", "refused"]) expect(await agent.run("Hello", { user })).toMatchObject({ status });
  });

  test("goes on when what was spent is reset, on this day", async () => {
    const { agent, budgets, clock } = await stopped();
    expect(await budgets.reset(ofUser, anna)).toMatchObject({ what: "reset", from: 1, to: 0, window: "2026-01-01" });
    expect(brief(await budgets.list())).toEqual([["calls", 1, 0, 0]]);
    expect(await agent.resume("r")).toMatchObject({ status: "completed" });
    expect(await agent.run("Hello", { user })).toMatchObject({ status: "refused" });
    await clock.advance(day);
    for (const status of ["completed", "refused"]) expect(await agent.run("Hello", { user })).toMatchObject({ status });
  });

  test("and every change is listed with who and why, oldest first, page by page", async () => {
    const { budgets, now } = await stopped();
    await budgets.raise(ofUser, { to: 3, ...anna });
    await budgets.grant({ ...ofUser, per: "day" }, { amount: 2, by: "ben", why: "Holidays." });
    await budgets.reset((await budgets.list())[0]?.id ?? "", anna);
    const changes = await budgets.changes();
    const same = { id: expect.any(String), at: now(), budget: "calls/user//u1/day%20UTC", scope: "user", who: ["u1"], measure: "calls" };
    const [raised, granted, reset] = [
      { ...same, ...anna },
      { ...same, by: "ben", why: "Holidays.", window: "2026-01-01" },
      { ...same, ...anna },
    ];
    expect(changes).toEqual([
      { ...raised, what: "raise", from: 1, to: 3 },
      { ...granted, what: "grant", from: 0, to: 2 },
      { ...reset, what: "reset", from: 1, to: 0, window: "2026-01-01" },
    ]);
    const [first, second] = changes;
    expect(await budgets.changes({ limit: 1 })).toEqual([first]);
    expect(await budgets.changes({ limit: 1, after: first?.id ?? "" })).toEqual([second]);
    for (const budget of [ofUser, { ...ofUser, per: "day" }, same.budget] as const)
      expect(await budgets.changes({ budget })).toEqual(changes);
    expect(await budgets.changes({ budget: { ...ofUser, who: ["u2"] } })).toEqual([]);
  });
});

describe("the budget of a run", () => {
  test("is not listed; raised, granted or reset, the run goes on from where it stopped", async () => {
    const { agent, budgets, model } = desk({ run: { calls: 1 } }, [looking, looking, looking]);
    const ofRun = { scope: "run", who: ["r"], measure: "calls" } as const;
    expect(await agent.run("Look", { runId: "r" })).toMatchObject({ status: "partial", error: { code: "budget_exceeded" } });
    expect(await budgets.list()).toEqual([]);

    const { budget } = await budgets.raise(ofRun, { to: 2, ...anna });
    expect(await agent.resume("r")).toMatchObject({ status: "partial" });
    await budgets.grant(budget, { amount: 1, ...anna });
    expect(await agent.resume("r")).toMatchObject({ status: "partial" });
    expect(model.calls).toBe(3);
    expect(await budgets.reset(ofRun, anna)).toMatchObject({ from: 3, to: 0 });
    expect(await agent.resume("r")).toMatchObject({ status: "completed", text: "Done." });
    expect(steps(await budgets.changes({ budget: ofRun }))).toEqual([
      ["raise", 1, 2],
      ["grant", 0, 1],
      ["reset", 3, 0],
    ]);
    await expect(budgets.reset(ofRun, anna)).rejects.toMatchObject({ code: "budget_not_found" });
  });

  test("is raised from what the latest resume said", async () => {
    const { agent, budgets } = desk({ run: { calls: 1 } }, [looking, looking]);
    await agent.run("Look", { runId: "r" });
    expect(await agent.resume("r", { budget: { calls: 2 } })).toMatchObject({ status: "partial" });
    expect(await budgets.raise("calls/run/r", { to: 5, ...anna })).toMatchObject({ from: 2, to: 5 });
    expect(await agent.resume("r")).toMatchObject({ status: "completed" });
  });
});

describe("the list", () => {
  const limits = {
    user: [{ usd: 5, per: "day", zone: "Europe/Berlin" }, { calls: 9 }],
    global: { tokens: 1_000_000, per: "month" },
  } as const;

  test("shows what is spent, reserved, and when there is more", async () => {
    const reserved: (readonly BudgetState[])[] = [];
    const { agent, budgets } = desk(limits, ["One.", async () => (reserved.push(await budgets.list()), "Two.")]);
    await agent.run("Hello", { user });
    await agent.run("Hello", { user });
    const [berlin, month] = [Date.UTC(2026, 0, 1, 23), Date.UTC(2026, 1, 1)];
    expect(await budgets.list()).toEqual([
      { id: "calls/user//u1/ever", scope: "user", who: ["u1"], measure: "calls", limit: 9, spent: 2, reserved: 0, window: {} },
      {
        id: "tokens/global/month%20UTC",
        scope: "global",
        who: [],
        measure: "tokens",
        limit: 1_000_000,
        spent: 30,
        reserved: 0,
        resetsAt: month,
        window: { per: "month" },
      },
      {
        id: "usd/user//u1/day%20Europe%2FBerlin",
        scope: "user",
        who: ["u1"],
        measure: "usd",
        limit: 5,
        spent: 0.000_04,
        reserved: 0,
        resetsAt: berlin,
        window: { per: "day", zone: "Europe/Berlin" },
      },
    ]);
    const during = brief(reserved[0] ?? []);
    expect(during[0]).toEqual(["calls", 9, 1, 1]);
    expect(during[2]?.slice(0, 3)).toEqual(["usd", 5, 0.000_02]);
    expect(during[2]?.[3]).toBeGreaterThan(0.008);
  });

  test("is narrowed, and read page by page", async () => {
    const { agent, budgets } = desk({ ...limits, custom: { team: { key: () => "blue/red", calls: 7 } } });
    for (const id of ["u1", "u2"]) await agent.run("Hello", { user: { id } });
    await agent.run("Hello", { user: { id: "u1", tenant: "acme" } });
    const all = await budgets.list();
    expect(all).toHaveLength(8);
    const pages: BudgetState[] = [];
    for (;;) {
      const page = await budgets.list({ limit: 3, ...(pages.length > 0 ? { after: pages.at(-1)?.id ?? "" } : {}) });
      pages.push(...page);
      if (page.length < 3) break;
    }
    expect(pages).toEqual(all);
    const whoOf = async (query: Parameters<typeof budgets.list>[0]) =>
      (await budgets.list(query)).map(({ scope, who, measure }) => [scope, ...who, measure].join(" "));
    expect(await whoOf({ scope: "user", measure: "usd" })).toEqual(["user u1 usd", "user u2 usd", "user acme u1 usd"]);
    expect(await whoOf({ scope: "user", who: ["acme", "u1"] })).toEqual(["user acme u1 calls", "user acme u1 usd"]);
    expect(await whoOf({ who: ["u1"] })).toEqual(["user u1 calls", "user u1 usd"]);
    expect(await whoOf({ scope: "team" })).toEqual(["team blue/red calls"]);
    expect(await whoOf({ scope: "use" })).toEqual([]);
    expect(await whoOf({ scope: "user", after: "usd/user//u1/zzz" })).toEqual(["user u2 usd", "user acme u1 usd"]);
  });

  test("has more than a page of the store", { timeout: 20_000 }, async () => {
    const { agent, budgets } = desk({ user: { calls: 1 } });
    for (let number = 0; number < 250; number++) await agent.run("Hello", { user: { id: `u${number}` } });
    expect(await budgets.list()).toHaveLength(100);
    expect(await budgets.list({ limit: 1_000 })).toHaveLength(250);
    expect(await budgets.list({ who: ["u99"] })).toHaveLength(1);
  });

  test("has a limit that never afforded anything, so that it can be raised", async () => {
    const { agent, budgets } = desk({ tenant: { usd: 0 } });
    const asked = { user: { id: "u1", tenant: "acme" }, runId: "r" };
    expect(await agent.run("Hello", asked)).toMatchObject({ status: "refused" });
    expect(brief(await budgets.list())).toEqual([["usd", 0, 0, 0]]);
    await budgets.raise({ scope: "tenant", who: ["acme"], measure: "usd" }, { to: 1, ...anna });
    expect(await agent.run("Hello", asked)).toMatchObject({ status: "completed" });
  });
});

describe("a window that rolls", () => {
  const hour = day / 24;

  test("keeps a grant, and what was reset, until the present has rolled out of it", async () => {
    const { agent, budgets, clock } = desk({ user: { calls: 2, per: { rollingMs: 12 * hour } } });
    const asked = async () => (await agent.run("Hello", { user })).status;
    expect([await asked(), await asked(), await asked()]).toEqual(["completed", "completed", "refused"]);
    await clock.advance(3 * hour);
    expect(await budgets.reset(ofUser, anna)).toMatchObject({ from: 2, to: 0 });
    expect([await asked(), await asked(), await asked()]).toEqual(["completed", "completed", "refused"]);
    expect(await budgets.grant(ofUser, { amount: 1, ...anna })).toMatchObject({ from: 0, to: 1 });
    await clock.advance(2 * hour);
    expect(brief(await budgets.list())).toEqual([["calls", 3, 2, 0]]);
    expect([await asked(), await asked()]).toEqual(["completed", "refused"]);
    // What was spent first is gone, and with it what was forgiven of it; what came later still counts.
    await clock.advance(8 * hour);
    expect(brief(await budgets.list())).toEqual([["calls", 3, 3, 0]]);
    await clock.advance(5 * hour);
    expect(brief(await budgets.list())).toEqual([["calls", 2, 0, 0]]);
  });
});

describe("several people at once", () => {
  test("all count, and each is written down as it came", async () => {
    const clock = fakeClock();
    const { store, reader } = fileStore(() => clock.now());
    const { agent, budgets } = desk({ user: { calls: 1 } }, [], { store }, clock);
    await agent.run("Hello", { user });
    const other = createControlPlane({ store: reader, now: () => clock.now() }).budgets;
    const all = Array.from({ length: 20 }, (_, number) =>
      (number % 2 ? budgets : other).grant(ofUser, { amount: 1, by: `p${number}`, why: "More." }),
    );
    const told = await Promise.all(all);
    expect(brief(await other.list())).toEqual([["calls", 21, 1, 0]]);
    const changes = await other.changes();
    expect(changes.map(({ by }) => by).toSorted()).toEqual(told.map(({ by }) => by).toSorted());
    expect(changes.map(({ to }) => to).toSorted((one, two) => one - two)).toEqual(Array.from({ length: 20 }, (_, number) => number + 1));
    expect(changes.every(({ from, to }) => to === from + 1)).toBe(true);
  });

  test("may reset while others grant", async () => {
    const { agent, budgets } = desk({ user: { calls: 1 } });
    await agent.run("Hello", { user });
    await Promise.all([budgets.reset(ofUser, anna), budgets.grant(ofUser, { amount: 2, ...anna }), budgets.reset(ofUser, anna)]);
    expect(brief(await budgets.list())).toEqual([["calls", 3, 0, 0]]);
  });
});

describe("a process that dies in the middle", () => {
  /** A store that takes nothing of this kind. */
  const refusing = (store: WholeStore, kind: string): Store => ({
    ...store,
    records: {
      ...store.records,
      put: (of, ...rest) => (of === kind ? Promise.reject(new TypeError("gone")) : store.records.put(of, ...rest)),
    },
  });

  test.each(["budget-window", "budget-change"])("at %s leaves nothing that has no record", async (kind) => {
    const clock = fakeClock();
    const store = memoryStore({ now: () => clock.now() });
    const { agent, budgets } = desk({ user: { calls: 1 } }, [], { store }, clock);
    await agent.run("Hello", { user });
    const dying = createControlPlane({ store: refusing(store, kind), now: () => clock.now() }).budgets;
    await expect(dying.grant(ofUser, { amount: 1, ...anna })).rejects.toThrow("gone");
    await expect(dying.reset(ofUser, anna)).rejects.toThrow("gone");
    expect(brief(await budgets.list())).toEqual([["calls", 1, 1, 0]]);
    expect(await budgets.changes()).toHaveLength(kind === "budget-change" ? 0 : 2);
  });
});

describe("a reset", () => {
  test("leaves what is reserved, which counts when it is spent", async () => {
    const seen: (readonly BudgetState[])[] = [];
    const during = async () => {
      await budgets.reset(ofUser, anna);
      seen.push(await budgets.list());
      return "Two.";
    };
    const { agent, budgets } = desk({ user: { calls: 2 } }, ["One.", during]);
    await agent.run("Hello", { user });
    await agent.run("Hello", { user });
    expect(brief(seen[0] ?? [])).toEqual([["calls", 2, 0, 1]]);
    expect(brief(await budgets.list())).toEqual([["calls", 2, 1, 0]]);
  });

  test("does not forgive what has only run out and may turn out to be less", async () => {
    const { agent, budgets, store, clock } = desk({ user: { calls: 10 } });
    await agent.run("Hello", { user });
    const key = "calls/user//u1/ever/ever";
    await store.counters?.reserve("lost", [{ key, amount: 5, limit: 10 }], 1_000);
    await clock.advance(2_000);
    expect(brief(await budgets.list())).toEqual([["calls", 10, 6, 0]]);
    expect(await budgets.reset(ofUser, anna)).toMatchObject({ from: 6, to: 5 });
    expect(brief(await budgets.list())).toEqual([["calls", 10, 5, 0]]);
    await store.counters?.settle("lost", { [key]: 2 });
    expect(brief(await budgets.list())).toEqual([["calls", 10, 2, 0]]);
  });

  test("of nothing is written down all the same", async () => {
    const { agent, budgets } = desk({ user: { calls: 10 } });
    await agent.run("Hello", { user });
    await budgets.reset(ofUser, anna);
    await budgets.reset(ofUser, anna);
    expect(steps(await budgets.changes())).toEqual([
      ["reset", 1, 0],
      ["reset", 0, 0],
    ]);
  });
});

describe("what cannot be meant is an error, and changes nothing", () => {
  const known = async () => {
    const made = desk({ user: [{ usd: 1, per: "day" }, { calls: 5, per: "day" }, { calls: 9 }] });
    await made.agent.run("Hello", { user, runId: "r" });
    return made;
  };
  const usd = { scope: "user", who: ["u1"], measure: "usd" } as const;

  test.each([
    ["nobody who did it", { amount: 1, why: "More." }, /by.*at most 512/],
    ["no reason", { amount: 1, by: "anna", why: " " }, /why.*at most 512/],
    ["no amount", anna, /amount.*a number from 0/],
    ["a negative amount", { amount: -1, ...anna }, /amount.*a number from 0/],
    ["an amount that is no number", { amount: Number.NaN, ...anna }, /amount.*a number from 0/],
    ["an endless amount", { amount: Number.POSITIVE_INFINITY, ...anna }, /amount.*a number from 0/],
    ["nothing", { amount: 0, ...anna }, /amount of nothing/],
    ["less than can be counted", { amount: 1e-10, ...anna }, /amount of nothing/],
    ["more than can be counted", { amount: 1e7, ...anna }, /more than can be counted/],
    ["more than can be counted in all", { amount: 9_007_199, ...anna }, /more than can be counted/],
    ["a misspelt option", { amount: 1, because: "More.", ...anna }, /because/],
  ])("%s", async (_, change, message) => {
    const { budgets } = await known();
    const loose: { grant(budget: unknown, change: unknown): Promise<unknown> } = budgets;
    await expect(loose.grant(usd, change)).rejects.toMatchObject({ code: "input_invalid", message: expect.stringMatching(message) });
    expect(await budgets.changes()).toEqual([]);
    expect((await budgets.list({ measure: "usd" }))[0]?.limit).toBe(1);
  });

  test("part of a call, and less than code says", async () => {
    const { budgets } = await known();
    const calls = { ...ofUser, per: "day" } as const;
    await expect(budgets.raise(calls, { to: 5.5, ...anna })).rejects.toMatchObject({
      code: "input_invalid",
      message: expect.stringContaining("whole number of calls"),
    });
    await expect(budgets.raise(calls, { to: 4, ...anna })).rejects.toMatchObject({
      code: "input_invalid",
      message: expect.stringContaining("code says 5 calls"),
    });
    await budgets.raise(calls, { to: 7, ...anna });
    expect(await budgets.raise(calls, { to: 5, ...anna })).toMatchObject({ from: 7, to: 5 });
  });

  test.each([
    ["an unknown id", "calls/user//u1/month%20UTC", "budget_not_found"],
    ["no id at all", "x", "budget_not_found"],
    ["an unknown user", { ...usd, who: ["u2"] }, "budget_not_found"],
    ["another window", { ...usd, per: "month" }, "budget_not_found"],
    ["several limits", ofUser, "input_invalid"],
    ["no scope", { measure: "usd" }, "input_invalid"],
    ["an unknown measure", { ...usd, measure: "euro" }, "input_invalid"],
    ["too many names", { ...usd, who: ["a", "b", "c"] }, "input_invalid"],
    ["a name for everybody", { scope: "global", who: ["a"], measure: "usd" }, "input_invalid"],
    ["a name that is no text", { ...usd, who: [1] }, "input_invalid"],
    ["a name that is broken", { ...usd, who: ["\ud800"] }, "input_invalid"],
    ["an unknown zone", { ...usd, per: "day", zone: "Mars" }, "input_invalid"],
    ["a run that is not there", { scope: "run", who: ["s"], measure: "usd" }, "run_not_found"],
    ["a run that has ended", { scope: "run", who: ["r"], measure: "usd" }, "budget_not_found"],
  ])("%s", async (_, budget, code) => {
    const { budgets } = await known();
    const loose: { reset(budget: unknown, change: unknown): Promise<unknown> } = budgets;
    await expect(loose.reset(budget, anna)).rejects.toMatchObject({ code });
    expect(await budgets.changes()).toEqual([]);
  });

  test("a store that cannot keep budgets", () => {
    const { journal, counters, records } = memoryStore();
    for (const [store, missing] of [
      [{ journal, records }, "counters"],
      [{ journal, counters }, "records"],
    ] as const) {
      const message = expect.stringContaining(`a store with ${missing}`);
      expect(() => createControlPlane({ store })).toThrow(expect.objectContaining({ code: "configuration_invalid", message }));
    }
  });
});
