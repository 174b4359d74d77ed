// First stage: what the user said passes the input guardrails before anything else sees it, the user's own input filter included.
import { type AssistantPart, type Message, textOf, type UserPart } from "../../core/message.ts";
import { done, type Outcome, stoppedBy } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import { decideText, guardError } from "../guard.ts";
import type { Line } from "../line.ts";

type Part = UserPart | AssistantPart;

export async function filterInput(run: Run, line: Line): Promise<Outcome<Message>> {
  const said = await guardInput(run, line, lastMessage(line));
  return said.status === "done" ? line.agent.stages.inputFilter(run, line, said.value) : said;
}

async function guardInput(run: Run, line: Line, said: Message): Promise<Outcome<Message>> {
  const guardrails = line.agent.guardrails.input;
  if (guardrails.length === 0) return done(said);
  const text = textOf(said);
  const decision = await decideText(run, "input-filter", guardrails, { point: "input", text });
  if (decision.status !== "done") return decision;
  line.findings.push(...decision.value.verdicts);
  if (!decision.value.allowed) return stoppedBy(guardError(decision.value, "input"));
  return done(decision.value.text === undefined ? said : reworded(said, decision.value.text));
}

/** Guardrails read the text; the files that came with it stay. */
function reworded({ content }: Message, text: string): Message {
  const parts: readonly Part[] = typeof content === "string" ? [] : content;
  const files = parts.filter((part) => part.type === "file");
  return { role: "user", content: files.length > 0 ? [{ type: "text", text }, ...files] : text };
}

function lastMessage({ input }: Line): Message {
  if (typeof input === "string") return { role: "user", content: input };
  return input.at(-1) ?? { role: "user", content: "" };
}
