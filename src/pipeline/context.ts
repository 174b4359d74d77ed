// Second stage: puts together what the model is to know: instructions, earlier conversation, and what the user said.
import type { Message } from "../core/message.ts";
import { done, type Outcome } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import type { Line } from "./line.ts";

export async function assembleContext(run: Run, line: Line, said: Message): Promise<Outcome<null>> {
  const { instructions } = line.agent;
  if (typeof instructions === "function") {
    const text = await run.decide("instructions", () => instructions(run.facts));
    if (text.status !== "done") return text;
    line.thread.add({ role: "system", content: text.value }, "instructions");
  } else if (instructions) {
    line.thread.add({ role: "system", content: instructions });
  }
  const earlier = typeof line.input === "string" ? [] : line.input.slice(0, -1);
  for (const [position, message] of earlier.entries()) line.thread.add(message, `input/${position}`);
  line.thread.add(said, line.findings.some((finding) => finding.verdict === "rewrite") ? "input-filter" : `input/${earlier.length}`);
  return done(null);
}
