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
  for (const [position, message] of earlier.entries()) line.thread.addEarlier(message, `input/${position}`);
  line.thread.add(said, refOf(line, said, earlier.length));
  return done(null);
}

/** Where the journal holds what the user said, when nobody has changed it. */
function refOf({ input }: Line, said: Message, position: number): string | undefined {
  const given = typeof input === "string" ? input : input.at(-1);
  return said === given || said.content === given ? `input/${position}` : undefined;
}
