// A thousand runs at once, each of three steps of 20 ms: how long they take, how long they hold the event loop, what memory they need.
import { askChild } from "../child.ts";
import { type Figure, median, type Workload } from "../measure.ts";

interface Spent {
  readonly wallMs: number;
  readonly delayMs: number;
  readonly megabytes: number;
}

async function crowd(contender: "ours" | "by-hand", size: number): Promise<Spent> {
  const spent: Partial<Spent> = Object(await askChild("crowd-process.ts", [contender, String(size)]));
  const { wallMs = Number.NaN, delayMs = Number.NaN, megabytes = Number.NaN } = spent;
  return { wallMs, delayMs, megabytes };
}

export const crowds: Workload = {
  name: "crowd",
  measure: async (effort): Promise<readonly Figure[]> => {
    const spent = { ours: [] as Spent[], byHand: [] as Spent[] };
    const size = effort.runs(1_000);
    const rounds = Math.ceil(effort.rounds / 2);
    for (let round = 0; round < rounds; round++) {
      spent.ours.push(await crowd("ours", size));
      spent.byHand.push(await crowd("by-hand", size));
      effort.tell(round + 1, rounds);
    }
    const of = (what: keyof Spent) => ({
      ours: median(spent.ours.map((one) => one[what])),
      byHand: median(spent.byHand.map((one) => one[what])),
    });
    const what = "1,000 concurrent runs, 3 steps of 20 ms";
    return [
      { what, unit: "ms in all", ...of("wallMs"), aim: 110 },
      { what, unit: "ms of event loop delay, p99", ...of("delayMs"), aim: 20 },
      { what, unit: "MB more at the peak", ...of("megabytes"), aim: 30 },
    ];
  },
};
