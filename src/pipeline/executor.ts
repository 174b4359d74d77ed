// Fourth stage: makes the planned calls side by side. All of a batch may start, or none; results stand in call order, one for each call.
import { AgentError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { ToolCall } from "../core/message.ts";
import { done, type Outcome, refused } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import type { Tool, ToolResult } from "../core/tool.ts";
import type { CountedCall } from "../policy/limits.ts";
import { parseArguments } from "./arguments.ts";
import type { Line, Plan } from "./line.ts";
import { cancelledResult } from "./thread.ts";
import { toolCallStep } from "./tool-call.ts";
import { unknownToolStep } from "./unknown-tool.ts";

export async function executeCalls(run: Run, line: Line, plan: Plan): Promise<Outcome<null>> {
  const { calls } = plan;
  line.unfinished.push(...calls.map(({ name }) => name));
  const allowed = line.limits.batch(calls.map((call) => counted(line.agent.tools.get(call.name), call)));
  if (allowed instanceof AgentError) return refused(allowed);

  const made: (Made | undefined)[] = calls.map(() => undefined);
  const outcome = await run.all(
    calls.map((call, position) => async () => {
      const result = await makeCall(run, line, call, position, {
        truncated: plan.finishReason === "length",
        warned: allowed.warned.has(position),
      });
      if (result.status === "done") made[position] = result.value;
      return result;
    }),
  );

  for (const [position, call] of calls.entries()) addResult(line, call, made[position]);
  if (outcome.status !== "done") return outcome;
  const tooMany = line.limits.invalid(outcome.value.filter(({ result }) => isInvalid(result)).length);
  return tooMany ? refused(tooMany) : done(null);
}

/** A result and the step that recorded it. */
interface Made {
  readonly result: ToolResult;
  readonly ref: string;
}

interface CallFacts {
  readonly truncated: boolean;
  readonly warned: boolean;
}

async function makeCall(run: Run, line: Line, call: ToolCall, position: number, facts: CallFacts): Promise<Outcome<Made>> {
  const { agent } = line;
  const key = `tool/${position}`;
  const tool = agent.tools.get(call.name);
  if (!tool) return made(run, key, await run.step(unknownToolStep(key, call, agent.tools.keys())));

  const first = await run.step(toolCallStep(run, agent, call, { key, tool, name: call.name, ...facts }));
  const { fallback } = tool;
  if (first.status !== "done" || !fallback || !isBroken(first.value)) return made(run, key, first);

  const name = fallback.label ?? `${call.name}-fallback`;
  const insteadOf = { name: call.name, code: first.value.error?.code ?? "tool_failed" };
  const second = await run.step(toolCallStep(run, agent, call, { key: `${key}/fallback`, tool: fallback, name, ...facts, insteadOf }));
  if (second.status === "done" && !second.value.error) line.degraded.push({ tool: call.name, by: name, key: `${run.path}${key}/fallback` });
  return made(run, `${key}/fallback`, second);
}

const made = (run: Run, key: string, outcome: Outcome<ToolResult>): Outcome<Made> =>
  outcome.status === "done" ? done({ result: outcome.value, ref: run.path + key }) : outcome;

function addResult(line: Line, call: ToolCall, one: Made | undefined) {
  if (!one) return line.thread.add(cancelledResult(call));
  const { result, ref } = one;
  line.findings.push(...(result.verdicts ?? []));
  if (!result.error) {
    line.finished.push(call.name);
    line.unfinished.splice(line.unfinished.indexOf(call.name), 1);
  }
  line.thread.add(
    { role: "tool", callId: call.callId, name: call.name, content: result.content, ...(result.error ? { isError: true } : {}) },
    ref,
  );
}

/** Codes of a call that was not executed because of how it was made. */
const isInvalid = ({ error }: ToolResult) =>
  error !== undefined && ["tool_unknown", "tool_input_invalid", "tool_input_truncated"].includes(error.code);

/** The tool itself could not do it: the case a fallback is for. */
const isBroken = ({ error }: ToolResult) =>
  error !== undefined && !isInvalid({ content: "", error }) && !error.code.startsWith("guardrail_");

function counted(tool: Tool | undefined, call: ToolCall): CountedCall {
  if (tool?.polled) return { tool: call.name, sameAs: undefined };
  const parsed = parseArguments(call.arguments, true);
  return { tool: call.name, sameAs: parsed.ok ? keyOf(tool, parsed.value) : call.arguments };
}

// The arguments have not been validated yet, so a loopKey may stumble over them; then they speak for themselves.
function keyOf(tool: Tool | undefined, value: object): Json {
  try {
    return JSON.parse(JSON.stringify(tool?.loopKey(value) ?? value));
  } catch {
    return JSON.stringify(value);
  }
}
