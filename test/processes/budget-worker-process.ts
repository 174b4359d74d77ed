// A worker that spends: so many runs at a time, one after the other, until the budget affords none and nobody holds anything of it any more.
// It goes on with the runs of workers that have died, and may be killed at any time.
import { setTimeout } from "node:timers/promises";
import type { RunResult } from "airworthy";
import { budgetKey, inputOf, isWatched, type Spending, spendingAgent, tenant } from "./budget-spender.ts";
import { openPlace, type Place } from "./place.ts";
import { seeded } from "./seeded.ts";

/** The first message to a spender of either kind; the second ends it. */
export interface SpendingTask {
  readonly place: Place;
  readonly spending: Spending;
  readonly capUsd: number;
  readonly worker: string;
  readonly lanes: number;
  readonly seed: number;
  readonly leaseMs: number;
}

export interface SpenderWord {
  /** A run or an attempt of a decider is over. */
  readonly ended?: string;
  /** Nothing could be afforded: how much was asked for, in US dollars. */
  readonly refused?: number;
  /** Of a decider: nano-dollars that were spent, told before they are settled. */
  readonly spent?: number;
  /** Every lane has found the budget used up. */
  readonly idle?: true;
}

const tell = (word: SpenderWord) => process.send?.(word);
const leave = () => process.exit();

/** What a budget could not afford, in US dollars; undefined when it was something else that stopped the run. */
const refusedIn = (result: RunResult): number | undefined =>
  "error" in result && result.error.code === "budget_exceeded" ? Number(result.error.details["requested"]) : undefined;

function work({ place, spending, capUsd, worker, lanes, seed, leaseMs }: SpendingTask) {
  const chance = seeded(seed);
  const store = openPlace(place);
  const agent = spendingAgent(store, spending, capUsd, leaseMs);
  const recovery = agent.recover({ concurrency: lanes, everyMs: leaseMs / 4 });

  const asked = async (runId: string) => {
    const options = { runId, user: { id: runId, tenant } };
    if (!isWatched(runId)) return agent.run(inputOf(runId), options);
    const stream = agent.stream(inputOf(runId), options);
    for await (const _ of stream) void _;
    return stream.result;
  };
  /** True when there is money for more runs. */
  const settled = async (runId: string): Promise<boolean> => {
    for (let result = await asked(runId); ; result = await (result.status === "refused" ? asked(runId) : agent.resume(runId))) {
      const refused = refusedIn(result);
      if (refused === undefined) return true;
      tell({ refused });
      const [state] = (await store.counters?.read([budgetKey])) ?? [];
      if (state?.held === 0) return false;
      // What others hold may turn out to cost less.
      await setTimeout(10 + chance() * 60);
    }
  };
  const lane = async (_: unknown, number: number) => {
    for (let run = 1; ; run++) {
      const runId = `${worker}-${number}-${run}`;
      const goesOn = await settled(runId);
      tell({ ended: runId });
      if (!goesOn) return;
    }
  };
  const allSpent = Promise.all(Array.from({ length: lanes }, lane)).then(() => tell({ idle: true }));
  return async () => {
    await allSpent;
    await Promise.all([recovery.stop(), agent.drain({ withinMs: 5_000 })]);
    await store.close?.();
    process.off("disconnect", leave);
    process.disconnect();
  };
}

let finish: (() => Promise<void>) | undefined;
process.on("message", (message) => {
  const { task }: { task?: SpendingTask } = Object(message);
  if (task) finish = work(task);
  else void finish?.();
});
// Whoever started it has died.
process.on("disconnect", leave);
