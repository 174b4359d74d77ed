// 200 turns in one run: whether the last ones cost more than the first ones.
import { tool } from "airworthy";
import { loopByHand } from "../loop-by-hand.ts";
import { best, type Effort, type Figure, type Workload } from "../measure.ts";
import { addOne, agentOf, countingModel, ensureAnswer, inputSchema } from "../scripted-replies.ts";

const steps = 200;
/** Turns that are compared with each other: the first few belong to the start of the run. */
const early = { from: 10, to: 60 };
const late = { from: 149, to: 199 };

/** Looks at the time at every call of the tool. */
function watched() {
  let times: number[] = [];
  const execute = (input: { readonly n: number }) => {
    times.push(performance.now());
    return addOne(input);
  };
  const spent = ({ from, to }: typeof early) => (((times[to] ?? Number.NaN) - (times[from] ?? Number.NaN)) * 1_000) / (to - from);
  return { execute, take: () => [spent(early), spent(late), (times = [])] as const };
}

async function lateOverEarly(effort: Effort, runs: readonly (() => Promise<unknown>)[], watch: ReturnType<typeof watched>) {
  const spent = runs.map(() => ({ early: [] as number[], late: [] as number[] }));
  const rounds = effort.runs(200);
  for (let round = 0; round < rounds; round++) {
    for (const [position, run] of runs.entries()) {
      ensureAnswer(await run());
      const [first, last] = watch.take();
      spent[position]?.early.push(first);
      spent[position]?.late.push(last);
    }
    if (round % 10 === 9) effort.tell(round + 1, rounds);
  }
  return spent.map((times) => best(times.late) / best(times.early));
}

export const longRun: Workload = {
  name: "long-run",
  measure: async (effort): Promise<readonly Figure[]> => {
    const model = countingModel(steps);
    const watch = watched();
    const agent = agentOf(model, {
      tools: { add: tool({ description: "Adds one.", effect: "read", inputSchema, execute: watch.execute }) },
    });
    const [ours = Number.NaN, byHand = Number.NaN] = await lateOverEarly(
      effort,
      [() => agent.run("go"), () => loopByHand(model, watch.execute)],
      watch,
    );
    return [{ what: "200 steps in one run", unit: "late / early", ours, byHand, aim: 1.1 }];
  },
};
