// Last stage: makes the answer of the text that was let go, or, when a run is wrapped up early, says honestly what there is. Pure.
import { AgentError } from "../../core/errors.ts";
import { done, failed, type Outcome } from "../../core/outcome.ts";
import type { Missing, PartialAnswer, Tried } from "../../core/result.ts";
import type { Run } from "../../core/run.ts";
import type { Answer, Line, Plan } from "../line.ts";

export async function buildResponse(_run: Run, line: Line, text: string, plan: Plan): Promise<Outcome<Answer>> {
  const { output } = line.agent;
  if (!output) return done({ output: text, text, finishReason: plan.finishReason });
  const valid = await output.validate(valueOf(text));
  if (valid.ok) return done({ output: valid.value, text, finishReason: plan.finishReason });
  return failed(new AgentError("output_mismatch", "The answer does not have the asked shape."));
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What there is when the run stops at a deadline or limit. The text is what the consumer was allowed to see, nothing more. */
export function wrapUp(line: Line, error: AgentError): PartialAnswer {
  const { window, finished, unfinished, limits } = line;
  const tried = limits.tried();
  const missing: Missing[] = unfinished.map((tool) => ({ what: tool, why: error.code }));
  missing.push({ what: "answer", why: error.code });
  return {
    ...(window.latest === undefined ? {} : { text: window.latest }),
    finished: [...finished],
    missing,
    ...(tried.length > 0 ? { tried } : {}),
    explanation: explain(error, finished, unfinished, tried),
  };
}

function explain(error: AgentError, finished: readonly string[], unfinished: readonly string[], tried: readonly Tried[]): string {
  const did = finished.length > 0 ? ` Finished: ${counted(finished)}.` : " Nothing had been finished.";
  const left = unfinished.length > 0 ? ` Not finished: ${counted(unfinished)}.` : "";
  const inVain = tried.length > 0 ? ` Tried without success: ${counted(tried.flatMap(({ tool, times }) => repeated(tool, times)))}.` : "";
  return `I had to stop before the answer was complete. ${error.message}${did}${left}${inVain}`;
}

const repeated = (name: string, times: number) => Array.from({ length: times }, () => name);

function counted(names: readonly string[]): string {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return [...times].map(([name, count]) => (count > 1 ? `${name} (${count} times)` : name)).join(", ");
}
