// Ten turns, each with one tool call: what the runtime adds to a step.
import { loopByHand } from "../loop-by-hand.ts";
import { best, interleaved, type Workload } from "../measure.ts";
import { agentOf, countingModel, oneByOne } from "../scripted-replies.ts";

const steps = 10;

export const loop: Workload = {
  name: "loop",
  measure: async (effort) => {
    const model = countingModel(steps);
    const agent = agentOf(model);
    const times = await interleaved(
      effort,
      500,
      oneByOne(() => agent.run("go")),
      oneByOne(() => loopByHand(model)),
    );
    const unit = "us per step";
    return [{ what: "10-step tool loop", unit, ours: best(times.ours) / steps, byHand: best(times.byHand) / steps, aim: 15 }];
  },
};
