// Fifth stage: the model's answer passes the output guardrails before any of it leaves. A guardrail may ask the model once to do better.
import { done, type Outcome, stoppedBy } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import { decideText, guardError } from "./guard.ts";
import type { Filtered, Line, Plan } from "./line.ts";

const mostReasks = 1;

export async function filterOutput(run: Run, line: Line, turn: number, plan: Plan): Promise<Outcome<Filtered>> {
  const guardrails = line.agent.guardrails.output;
  if (guardrails.length === 0) return done({ text: plan.text });
  const decision = await decideText(run, "output-filter", guardrails, { point: "output", text: plan.text });
  if (decision.status !== "done") return decision;
  line.findings.push(...decision.value.verdicts);
  if (decision.value.allowed) {
    line.window.release(turn, decision.value.text);
    return done({ text: decision.value.text });
  }
  if (decision.value.reask !== undefined && line.reasks < mostReasks) {
    line.reasks += 1;
    return done({ reask: decision.value.reask });
  }
  return stoppedBy(guardError(decision.value, "output"));
}
