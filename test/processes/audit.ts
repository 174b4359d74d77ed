// Looks at what a trial has left: the acts in the world, the journals in the store, who owned what. Invariant: it takes nobody's word for
// what it can look up.
import { type Entry, timeline } from "airworthy";
import { gappedRuns, openPlace, type Place } from "./place.ts";
import { agentName, settlingAgent, stepsOfRun } from "./six-steps.ts";
import type { Trial } from "./trial.ts";
import { type AppendWord, wordOf } from "./worker-process.ts";
import type { AskedAct } from "./world-process.ts";

export interface Audit {
  /** Empty when every promise was kept. */
  readonly problems: readonly string[];
  readonly figures: Readonly<Record<string, number>>;
}

export async function audit(trial: Trial, place: Place): Promise<Audit> {
  const { ledger, runs, acts, codes } = trial;
  const journals = await passAgain(trial, place);
  const byRun = Map.groupBy(acts, ({ run }) => run);
  const problems = [
    ...ledger.surprises.map((surprise) => `somebody was told: ${surprise}`),
    ...runs.flatMap((run) => actProblems(run, byRun.get(run) ?? [])),
    ...[...Map.groupBy(ledger.appends, ({ runId }) => runId)].flatMap(([run, appends]) => ownerProblems(run, appends)),
    ...(await gappedRuns(place)).map((run) => `${run}: lines are missing`),
    ...codes.filter((code) => code !== 0).map((code) => `a worker that was asked to end did so with ${code}`),
    ...journals.problems,
  ];
  const again = (kind: AskedAct["act"]) => {
    const keys = acts.filter(({ act }) => act === kind).map(({ key }) => key);
    return keys.length - new Set(keys).size;
  };
  return {
    problems,
    figures: {
      runs: ledger.ends.size,
      steps: journals.steps,
      kills: trial.kills,
      "taken over": ledger.claims,
      "stopped in doubt": ledger.stops,
      acts: acts.length,
      "reads again": again("read"),
      "pays again, same key": again("pay"),
      "mails again": again("mail"),
      seconds: Math.round(trial.seconds * 10) / 10,
    },
  };
}

/** Every payment under one key of its own, every mail once. */
function actProblems(run: string, acts: readonly AskedAct[]): readonly string[] {
  const of = (kind: AskedAct["act"]) => acts.filter(({ act }) => act === kind).map(({ key }) => key);
  const mails = of("mail");
  const pays = [...new Set(of("pay"))].toSorted();
  const expected = Array.from({ length: stepsOfRun.pays }, (_, number) => `${agentName}/${run}/turn-2/tool/${number}`);
  return [
    ...(mails.length === stepsOfRun.mails ? [] : [`${run}: ${mails.length} mails: ${mails.join(", ")}`]),
    ...(pays.join() === expected.join() ? [] : [`${run}: payments under ${pays.join(", ")}`]),
  ];
}

/** What the store took: each line from one worker, each epoch of one worker, and no earlier epoch after a later one. */
function ownerProblems(run: string, appends: readonly AppendWord[]): readonly string[] {
  const owners = new Map<number, string>();
  const sorted = appends.toSorted((one, other) => one.sequence - other.sequence);
  return sorted.flatMap(({ worker, epoch, sequence, lines }, position) => {
    const owner = owners.get(epoch) ?? worker;
    owners.set(epoch, owner);
    const next = sorted[position + 1];
    return [
      ...(owner === worker ? [] : [`${run}: ${owner} and ${worker} both own epoch ${epoch}`]),
      ...(next && next.sequence < sequence + lines ? [`${run}: line ${next.sequence} was written twice`] : []),
      ...(next && next.epoch < epoch ? [`${run}: epoch ${next.epoch} writes after ${epoch}`] : []),
    ];
  });
}

/** Replays every run, with a world that is out of reach: what is told has to be what was told the first time. */
async function passAgain({ runs, ledger }: Trial, place: Place) {
  const problems: string[] = [];
  let steps = 0;
  let touched = 0;
  const touch = <T>(next: () => T) => {
    touched += 1;
    return next();
  };
  const store = openPlace(place);
  const nowhere = { url: "http://127.0.0.1:9", worker: "nobody" };
  const agent = settlingAgent(store, nowhere, () => 0, { use: [{ model: (_, next) => touch(next), tool: (_, next) => touch(next) }] });
  try {
    for (const runId of runs) {
      const entries = await agent.journal(runId);
      const again = wordOf(await agent.replay(runId));
      steps += entries.filter(({ type }) => type === "step.done").length;
      problems.push(...journalProblems(entries).map((problem) => `${runId}: ${problem}`));
      if (again.told !== ledger.ends.get(runId)?.told) problems.push(`${runId}: ${again.told} but was ${ledger.ends.get(runId)?.told}`);
    }
  } finally {
    await store.close?.();
  }
  if (touched > 0) problems.push(`${touched} steps were performed again on runs that had ended`);
  return { problems, steps };
}

/** Whole: from the start to one end, with a word on every step that was begun. */
function journalProblems(entries: readonly Entry[]): readonly string[] {
  const done = entries.flatMap((entry) => (entry.type === "step.done" ? [entry.key] : []));
  const begun = new Set(entries.flatMap((entry) => (entry.type === "attempt.started" ? [entry.key] : [])));
  const wanted = stepsOfRun.models + stepsOfRun.reads + stepsOfRun.pays + stepsOfRun.mails;
  const ended = entries.filter(({ type }) => type === "run.ended").length;
  return [
    ...(entries[0]?.type === "run.started" ? [] : ["does not begin with its start"]),
    ...(ended === 1 && entries.at(-1)?.type === "run.ended" ? [] : [`has ${ended} ends, and closes with ${entries.at(-1)?.type}`]),
    ...(done.length === wanted && new Set(done).size === wanted ? [] : [`steps done: ${done.join(", ")}`]),
    ...[...begun].filter((key) => !done.includes(key)).map((key) => `${key} was begun and never done`),
    ...(timeline(entries).length === 0 ? ["has no timeline"] : []),
  ];
}
