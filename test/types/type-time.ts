// Prints what fifty tools cost the compiler, and fails when a file takes twice the time of the same file with types written by hand.
import { type Library, libraries, manners } from "./fifty-tools.ts";
import { createFixtures, type TypeCost, typeCost } from "./type-cost.ts";

const highestRatio = 2;
const rounds = { least: 7, most: 40 };

const project = await createFixtures();

/**
 * The fastest of several runs of each manner: whatever else the machine does can only add. They take turns, so that it adds to all of
 * them, and go on for as long as the ratio is too high, for on a busy machine it takes longer to catch it at rest.
 */
async function fastest(library: Library): Promise<readonly TypeCost[]> {
  let best: readonly TypeCost[] = [];
  for (let round = 0; round < rounds.most && (round < rounds.least || ratioIn(best) >= highestRatio); round++) {
    const costs: TypeCost[] = [];
    for (const manner of manners) costs.push(await typeCost(project, library, manner));
    best = costs.map((cost, at) => faster(cost, best[at] ?? cost));
  }
  return best;
}

const faster = (one: TypeCost, other: TypeCost): TypeCost => ({
  ...one,
  checkMs: Math.min(one.checkMs, other.checkMs),
  totalMs: Math.min(one.totalMs, other.totalMs),
});

/** The last manner against the first: airworthy against types written by hand. */
const ratioIn = (costs: readonly TypeCost[]) => (costs.at(-1)?.totalMs ?? Number.NaN) / (costs[0]?.totalMs ?? Number.NaN);

const line = (...cells: readonly (string | number)[]) =>
  console.log(cells.map((cell, at) => (at < 2 ? String(cell).padEnd(13) : String(cell).padStart(16))).join(""));
line("50 tools", "written", "types", "instantiations", "checking, ms", "tsc in all, ms", "of by hand");
for (const library of libraries) {
  const costs = await fastest(library);
  for (const [at, { types, instantiations, checkMs, totalMs }] of costs.entries()) {
    const ratio = totalMs / (costs[0]?.totalMs ?? Number.NaN);
    line(at === 0 ? library : "", manners[at] ?? "", types, instantiations, checkMs, totalMs, ratio.toFixed(2));
  }
  if (!(ratioIn(costs) < highestRatio)) {
    console.log(`${library}: ${highestRatio} times the time of the same file with types written by hand, or more.`);
    process.exitCode = 1;
  }
}
project.remove();
