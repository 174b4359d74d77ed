// Second stage: puts together what the model is to know: instructions, earlier conversation, and what the user said. The
// instructions are settled once a run, so that its later turns follow the rules it began with.
import { AgentError } from "../../core/errors.ts";
import type { RunFacts } from "../../core/facts.ts";
import type { Message } from "../../core/message.ts";
import { done, type Outcome } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import type { Instructions, Line } from "../line.ts";

export async function assembleContext(run: Run, line: Line, said: Message): Promise<Outcome<null>> {
  const { instructions } = line.agent;
  // Settled also when there are none: a run that began without instructions goes on without.
  const known = typeof instructions === "function" ? undefined : (instructions ?? null);
  const text = await run.decide("instructions", () => settleInstructions(instructions, run.facts), "instructions", known);
  if (text.status !== "done") return text;
  if (text.value !== null) line.thread.addInstructions(text.value, "instructions");
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

/** The instructions of a run as text; `null` when there are none. */
export async function settleInstructions(instructions: Instructions | undefined, run: RunFacts): Promise<string | null> {
  if (instructions === undefined) return null;
  const text: unknown = typeof instructions === "string" ? instructions : await instructions(run);
  if (typeof text === "string") return text;
  throw new AgentError("configuration_invalid", "The instructions of the agent are a function that answered no text.");
}
