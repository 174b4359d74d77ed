// A view: where the turns of a run end, so that another run can begin like it.
import type { Entry } from "../../core/journal.ts";

/** How many entries there are up to the end of this turn (`turn-2`); 0 when it was not finished. */
export function entriesUntil(entries: readonly Entry[], turn: string): number {
  const ends = [`${turn}/executor`, `${turn}/output-filter`];
  return entries.findIndex((entry) => entry.type === "stage.done" && ends.includes(entry.key)) + 1;
}

/** How many entries of a fork, its start included, are as in the run it was made of; 0 for a run that is no fork. */
export function copiedEntries(entries: readonly Entry[]): number {
  const [started] = entries;
  return started?.type === "run.started" && started.origin ? entriesUntil(entries, started.origin.at) : 0;
}

/** The turns after which a run went on, in order: those that made calls or were asked again, but not the one that gave the answer. */
export function finishedTurns(entries: readonly Entry[]): readonly string[] {
  return entries.flatMap((entry) => {
    const [, turn, number, stage] = (entry.type === "stage.done" && /^(turn-(\d+))\/(executor|output-filter)$/.exec(entry.key)) || [];
    if (turn === undefined) return [];
    const next = `turn-${Number(number) + 1}/`;
    return stage === "executor" || entries.some((later) => "key" in later && later.key.startsWith(next)) ? [turn] : [];
  });
}
