// Fifth stage: the answer passes the output guardrails before any of it leaves. A guardrail may ask the model once to do better.
import type { GuardDecision } from "../../core/guardrail.ts";
import { textOf } from "../../core/message.ts";
import { done, type Outcome, stoppedBy } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import { decideText, guardError } from "../guard.ts";
import type { Line, Plan } from "../line.ts";

/** The text that may leave, or what the model is asked to do better. */
export type Filtered = { readonly text: string } | { readonly reask: string; readonly by: string };

const mostReasks = 1;

/** The latest answer of the conversation before the planner was asked. */
type Said = ReturnType<Line["thread"]["latestAnswer"]>;

export async function filterOutput(run: Run, line: Line, turn: number, plan: Plan, before: Said): Promise<Outcome<Filtered>> {
  ensureAnswer(line, plan, before);
  const filtered = await line.agent.stages.outputFilter(run, line, plan);
  if (filtered.status !== "done") return filtered;
  const text = filtered.value;
  const decision = await guardOutput(run, line, text);
  if (decision.status !== "done") return decision;
  line.findings.push(...decision.value.verdicts);
  if (decision.value.allowed) {
    const released = decision.value.text ?? text;
    letGo(line, turn, released);
    return done({ text: released });
  }
  line.thread.showAnswer(`[withheld by ${decision.value.by}]`);
  if (decision.value.reask !== undefined && line.reasks < mostReasks) {
    line.reasks += 1;
    return done({ reask: decision.value.reask, by: decision.value.by });
  }
  return stoppedBy(guardError(decision.value, "output"));
}

/** A planner of the user's may have decided on an answer without saying so in the conversation. */
function ensureAnswer({ thread }: Line, { text }: Plan, before: Said) {
  const latest = thread.latestAnswer();
  if (!latest || latest === before || textOf(latest.message) !== text) thread.add({ role: "assistant", content: [{ type: "text", text }] });
}

function guardOutput(run: Run, line: Line, text: string): Promise<Outcome<GuardDecision>> {
  const guardrails = line.agent.guardrails.output;
  if (guardrails.length === 0) return Promise.resolve(done({ allowed: true, verdicts: [] }));
  return decideText(run, "output-filter", guardrails, { point: "output", text });
}

// What was never held has been shown already.
function letGo({ agent, window, thread }: Line, turn: number, text: string) {
  if (!agent.held.answers) return window.finish(turn, text);
  window.release(turn, text);
  thread.showAnswer(text);
}
