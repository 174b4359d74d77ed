// Third stage, the direct planner: the model itself decides, turn by turn, which calls to make or what to answer.
import { AgentError } from "../../core/errors.ts";
import { callsOf, textOf } from "../../core/message.ts";
import { done, type Outcome, refused } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import { ask } from "../ask.ts";
import type { Line, Plan } from "../line.ts";

export async function planDirectly(run: Run, line: Line, turn: number): Promise<Outcome<Plan>> {
  const answered = await ask(run, line, turn);
  if (answered.status !== "done") return answered;
  const { response, ref } = answered.value;
  const { message, finishReason } = response;
  const text = textOf(message);
  const calls = callsOf(message);
  if (finishReason === "content-filter") {
    return refused(new AgentError("content_filtered", "The provider withheld the answer."));
  }
  line.thread.add(message, ref);
  // Somebody answered in place of the model whose text has been shown: the consumer who asked for it begins anew.
  if (line.restarts && line.window.hasShown(turn) && !text.startsWith(line.window.latest ?? "")) line.window.restart(turn);
  line.window.finish(turn, text);
  return done({ text, calls, finishReason });
}
