// How a workload is measured: ours and the loop by hand take turns in one process, so that both meet the same machine.

/** One row of the table. */
export interface Figure {
  readonly what: string;
  readonly unit: string;
  readonly ours: number;
  /** The same work by hand; absent where there is nothing to compare. */
  readonly byHand?: number;
  readonly aim: number;
  /** A share is to be at least its aim; everything else at most. */
  readonly atLeast?: true;
}

export interface Workload {
  /** What `npm run bench -- <name>` calls it. */
  readonly name: string;
  readonly measure: (effort: Effort) => Promise<readonly Figure[]>;
}

/** How much is to be done, and who is told how far it has come. */
export interface Effort {
  readonly rounds: number;
  /** How many runs a round takes of those that would be usual. */
  readonly runs: (usual: number) => number;
  readonly tell: (done: number, of: number) => void;
}

/** One contender: does so many runs, and throws when one does not come to the right end. */
export type Contender = (runs: number) => Promise<void>;

const shorter = 5;

/** Both in turns, after a warm-up; answers the microseconds per run of each in every round. */
export async function interleaved(effort: Effort, usualRuns: number, ours: Contender, byHand: Contender) {
  // Rounds as short as the machine's attention to others: among many of them some are disturbed by nobody.
  const runs = effort.runs(usualRuns / shorter);
  const rounds = effort.rounds * shorter;
  const times = { ours: [] as number[], byHand: [] as number[] };
  // Until the compiler has settled: figures of a process that has just begun are those of the compiler.
  for (let round = 0; round < 3; round++) {
    await ours(runs * shorter);
    await byHand(runs * shorter);
  }
  for (let round = 0; round < rounds; round++) {
    times.ours.push(await timed(ours, runs));
    times.byHand.push(await timed(byHand, runs));
    effort.tell(round + 1, rounds);
  }
  return times;
}

async function timed(contender: Contender, runs: number): Promise<number> {
  // No forced collection in between: it shrinks the young generation, and each round would pay for its growing again.
  const startedAt = performance.now();
  await contender(runs);
  return ((performance.now() - startedAt) * 1_000) / runs;
}

/** The least disturbed round: what else goes on on the machine only ever adds. */
export const best = (times: readonly number[]): number => Math.min(...times);

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2;
}
