// Promise 3, under a crash at every entry and at every append: what is done is not done again, acts keep their key, and what nobody knows
// is not guessed.
import { type Agent, AgentError, createAgent, type Journal, memoryStore, type RunResult, type Store } from "airworthy";
import { sqlite } from "airworthy/sqlite";
import { describe, expect, test } from "vitest";
import { brokenOff, newWorld, type Scenario, scenarios } from "./scenarios.ts";

const everyScenario = [...scenarios, brokenOff];
const stores: readonly (readonly [string, () => Store])[] = [
  ["in memory", () => memoryStore()],
  ["in SQLite", () => sqlite(":memory:")],
];

/** Ten times a person looks at what stopped; then it stays. */
async function goneOn(agent: Agent, { resume, streamed }: Scenario, first: RunResult): Promise<RunResult> {
  let result = first;
  if (!resume) return first;
  for (let times = 0; times < 10 && (result.status === "suspended" || result.resumable); times++) {
    result = streamed ? await agent.resumeStream("r", resume).result : await agent.resume("r", resume);
  }
  return result;
}

async function wholeRun(agent: Agent, scenario: Scenario): Promise<RunResult> {
  const options = { runId: "r" };
  const first = scenario.streamed ? await agent.stream(scenario.input, options).result : await agent.run(scenario.input, options);
  expect(first.status).toBe(scenario.ends);
  return goneOn(agent, scenario, first);
}

describe.each(everyScenario)("$name", (scenario) => {
  const { options, resume = {} } = scenario;

  test.each(stores)("cut after every entry and resumed %s, it ends the same or asks about the act in doubt", async (_, makeStore) => {
    const store = memoryStore();
    const world = newWorld();
    const whole = await wholeRun(createAgent({ ...options(world), store }), scenario);
    const lines = (await store.journal.load("r")) ?? [];
    expect(lines.length).toBeGreaterThan(4);

    for (let cut = 1; cut <= lines.length; cut++) {
      const crashed = makeStore();
      await crashed.journal.create({ runId: "r", agent: "promises" }, lines.slice(0, cut));
      const before = actsIn(lines.slice(0, cut));
      const after = newWorld();
      const agent = createAgent({ ...options(after), store: crashed });
      const result = await goneOn(agent, scenario, await agent.resume("r", resume));
      const lived = (await crashed.journal.load("r")) ?? [];
      await crashed.close?.();
      const where = `cut after ${cut}: ${lines[cut - 1]}`;

      if (!asked(result, before, where)) {
        expect([result.status, result.messages], where).toEqual([whole.status, whole.messages]);
        const unreported = whole.usage.unreported + attemptsIn(lived) - attemptsIn(lines);
        expect(result.usage, where).toEqual({ ...whole.usage, unreported });
      }
      for (const act of after.acts) if (/^(mail|parcel)/.test(act)) expect(before.begun, where).not.toContain(act);
      for (const act of after.acts) if (act.startsWith("refund")) expect(world.acts, where).toContain(act);
      for (const done of before.done) expect(after.acts, where).not.toContain(done);
    }
  });

  test.each(["before", "after"] as const)(
    "a process that dies %s any append, and another that goes on: acts as promised",
    async (moment) => {
      const counted = dyingAt(Number.POSITIVE_INFINITY, moment, memoryStore());
      const world = newWorld();
      const whole = await wholeRun(createAgent({ ...options(world), store: counted.store }), scenario);

      for (let nth = 1; nth <= counted.appends(); nth++) {
        const store = memoryStore();
        const lived = newWorld();
        const dying = createAgent({ ...options(lived), store: dyingAt(nth, moment, store).store });
        await (scenario.streamed ? dying.stream(scenario.input, { runId: "r" }).result : dying.run(scenario.input, { runId: "r" }));
        const before = actsIn((await store.journal.load("r")) ?? []);
        const next = createAgent({ ...options(lived), store });
        const result = await goneOn(next, scenario, await next.resume("r", resume));
        const where = `${moment} append ${nth}`;
        if (!asked(result, before, where)) expect([result.status, result.messages], where).toEqual([whole.status, whole.messages]);
        const once = lived.acts.filter((act) => /^(mail|parcel)/.test(act));
        expect(new Set(once).size, `${where}: ${once.join()}`).toBe(once.length);
        for (const act of lived.acts) expect(world.acts, where).toContain(act);
      }
    },
  );
});

/** Whether somebody is asked: about every act in doubt, and about no other. */
function asked(result: RunResult, { begun, done }: ReturnType<typeof actsIn>, where: string): boolean {
  const inDoubt = begun.filter((act) => /^(mail|broken)/.test(act) && !done.includes(act));
  if (inDoubt.length === 0) return false;
  const items = inDoubt.map((act) => ({ kind: "in-doubt", tool: act.split(" ")[0] }));
  expect(result, where).toMatchObject({ status: "suspended", waitingFor: items });
  return true;
}

/** A store whose process dies at its nth append: what is written before stays, and nothing is written any more. */
function dyingAt(nth: number, moment: "before" | "after", { journal, ...rest }: Store) {
  let appends = 0;
  const dead = () => new AgentError("journal_unavailable", "The process has died.");
  const append: Journal["append"] = (...lines) => {
    appends += 1;
    if (appends > nth || (appends === nth && moment === "before")) throw dead();
    const written = journal.append(...lines);
    if (appends === nth) throw dead();
    return written;
  };
  return { store: { ...rest, journal: { ...journal, append } }, appends: () => appends };
}

/** Attempts at model calls, those that a crash or a failure cut short included: until they report, nobody knows what they used. */
const attemptsIn = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('"attempt.started"') && line.includes('"model"')).length;

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
      const act = entry.name === "mail" || entry.name === "refund" ? `${entry.name} ${id} promises/r/${entry.key}` : `${entry.name} ${id}`;
      names.set(entry.key, act);
      begun.push(act);
    }
    if (entry.type === "step.done" && names.has(entry.key)) done.push(names.get(entry.key) ?? "");
  }
  return { begun, done };
}
