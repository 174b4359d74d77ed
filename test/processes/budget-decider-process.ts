// A decider beside the worker of a SQLite file: spends the same budget by its counters alone, in many parts at a time. It may be killed.
import { setTimeout } from "node:timers/promises";
import { sqlite } from "airworthy/sqlite";
import { budgetKey } from "./budget-spender.ts";
import type { SpenderWord, SpendingTask } from "./budget-worker-process.ts";
import { seeded } from "./seeded.ts";

/** So long stands a part that nobody settles; then it counts as used. */
const holdMs = 1_500;

const tell = (word: SpenderWord) => process.send?.(word);
const leave = () => process.exit();

function decide({ place, capUsd, worker, lanes, seed }: SpendingTask) {
  if (place.kind !== "sqlite") throw new Error("Deciders are for files.");
  const { counters, close } = sqlite(place.path, { role: "reader" });
  const chance = seeded(seed);
  const limit = Math.round(capUsd * 1e9);
  const lane = async (_: unknown, number: number) => {
    for (let part = 1; ; part++) {
      const amount = 1 + Math.floor(chance() * 1_500_000);
      const id = `${worker}/${number}/${part}`;
      const answer = await counters.reserve(id, [{ key: budgetKey, amount, limit }], holdMs);
      if (!answer.granted) {
        tell({ refused: amount / 1e9 });
        // Read, and not taken from the refusal: what the dead have held and nobody settles is used once its time is over.
        const [state] = await counters.read([budgetKey]);
        if (state?.held === 0) return;
        await setTimeout(10 + chance() * 60);
        continue;
      }
      const spent = Math.floor(chance() * amount);
      tell({ spent });
      await setTimeout(20 + chance() * 100);
      await counters.settle(id, { [budgetKey]: spent });
      tell({ ended: id });
    }
  };
  const deciding = Promise.all(Array.from({ length: lanes }, lane)).then(() => tell({ idle: true }));
  return async () => {
    await deciding;
    await close();
    process.off("disconnect", leave);
    process.disconnect();
  };
}

let finish: (() => Promise<void>) | undefined;
process.on("message", (message) => {
  const { task }: { task?: SpendingTask } = Object(message);
  if (task) finish = decide(task);
  else void finish?.();
});
// Whoever started it has died.
process.on("disconnect", leave);
