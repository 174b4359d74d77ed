// Five turns of eight calls side by side: what the runtime adds where a model asks for much at once.
import { loopByHand } from "../loop-by-hand.ts";
import { best, interleaved, type Workload } from "../measure.ts";
import { agentOf, countingModel, oneByOne } from "../scripted-replies.ts";

export const parallel: Workload = {
  name: "parallel",
  measure: async (effort) => {
    const model = countingModel(5, 8);
    const agent = agentOf(model);
    const times = await interleaved(
      effort,
      200,
      oneByOne(() => agent.run("go")),
      oneByOne(() => loopByHand(model)),
    );
    return [{ what: "5 steps of 8 parallel calls", unit: "us per run", ours: best(times.ours), byHand: best(times.byHand), aim: 250 }];
  },
};
