// Fourth stage: makes the planned calls side by side. All of a batch may start, or none; results stand in call order, one for each call.
import { AgentError } from "../../core/errors.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { ToolCall } from "../../core/message.ts";
import { done, type Outcome, refused, stoppedBy } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import type { Tool, ToolResult } from "../../core/tool.ts";
import type { CallResult } from "../../policy/failures.ts";
import type { CountedCall } from "../../policy/limits.ts";
import { parseArguments } from "../calls/arguments.ts";
import { type Admission, type AskedCall, admitCall, isInvalid, type Made, makeCall } from "../calls/guarded-call.ts";
import { unfinishedResult } from "../calls/tool-result.ts";
import type { Line, Plan } from "../line.ts";

export async function executeCalls(run: Run, line: Line, plan: Plan): Promise<Outcome<null>> {
  line.unfinished.push(...plan.calls.map(({ name }) => name));
  const calls = plan.calls.map((call) => askedFor(line, call));
  const allowed = line.limits.batch(calls.map(counted));
  if (allowed instanceof AgentError) return refused(allowed);

  const simulates = line.simulated !== undefined;
  const truncated = plan.finishReason === "length";
  const admissions: (Admission | undefined)[] = calls.map(() => undefined);
  const made: (Made | undefined)[] = calls.map(() => undefined);
  const outcome = await run.all(
    calls.map((asked, position) => async () => {
      const key = keyOf(position);
      const offered = line.askedBefore.get(run.path + key);
      const facts = { ...asked, key, offered, truncated, simulates, warned: allowed.warned.has(position) };
      const admission = await admitCall(run, line, facts);
      if (admission.status !== "done") return admission;
      admissions[position] = admission.value;
      const result = await makeCall(run, line, facts, admission.value);
      if (result.status === "done") made[position] = result.value;
      return result;
    }),
  );

  for (const [position, { call }] of calls.entries()) {
    addAdmission(line, position, admissions[position]);
    addResult(run, line, call, position, made[position]);
  }
  if (outcome.status !== "done") return outcome;
  const escalated = outcome.value.find((one) => one.escalated)?.escalated;
  if (escalated) return stoppedBy(escalated);
  const tooMany = line.limits.invalid(outcome.value.filter(({ result }) => result.error && isInvalid(result.error.code)).length);
  if (tooMany) return refused(tooMany);
  const tooOften = line.limits.results(outcome.value.map(({ result }, position) => resultOf(result, plan.calls[position]?.name ?? "")));
  return tooOften ? refused(tooOften) : done(null);
}

/** A failure is the tool's own: neither a call that was wrong, which has a limit of its own, nor a no that was meant. */
function resultOf({ error, deliberate }: ToolResult, tool: string): CallResult {
  if (!error) return { tool, failed: undefined };
  return deliberate || isInvalid(error.code) || error.code.startsWith("guardrail_") ? { tool } : { tool, failed: error.code };
}

const keyOf = (position: number) => `tool/${position}`;

/** A call with its tool, if there is one, and with what its arguments say. */
function askedFor({ agent }: Line, call: ToolCall): AskedCall {
  const tool = agent.tools.get(call.name);
  return { call, tool, parsed: parseArguments(call.arguments, tool?.effect === "read") };
}

function addAdmission(line: Line, position: number, admission: Admission | undefined) {
  if (!admission) return;
  line.findings.push(...admission.verdicts);
  line.thread.showArguments(position, admission.shownArguments);
}

/** A call without a result, because the run stops here, gets one that says what is known of it. */
function addResult(run: Run, line: Line, call: ToolCall, position: number, made: Made | undefined) {
  const { callId, name } = call;
  if (!made) {
    const begun = run.tried(keyOf(position)) > 0;
    line.thread.add({ role: "tool", callId, name, content: unfinishedResult(begun).content, isError: true });
    return;
  }
  const { result, ref, verdicts, by } = made;
  line.findings.push(...verdicts);
  if (result.simulated) line.simulated?.push({ tool: name, key: by?.key ?? run.path + keyOf(position) });
  if (by !== undefined) line.degraded.push({ tool: name, by: by.name, key: by.key });
  if (!result.error) {
    line.finished.push(name);
    line.unfinished.splice(line.unfinished.indexOf(name), 1);
  }
  line.thread.add({ role: "tool", callId, name, content: result.content, ...(result.error ? { isError: true } : {}) }, ref);
}

function counted({ call, tool, parsed }: AskedCall): CountedCall {
  if (tool?.polled) return { tool: call.name, sameAs: undefined };
  return { tool: call.name, sameAs: parsed.ok ? sameAs(tool, parsed.value) : call.arguments };
}

// The arguments have not been validated yet, so a loopKey may stumble over them; then they speak for themselves.
function sameAs(tool: Tool | undefined, value: JsonObject): Json {
  try {
    const key: unknown = tool ? tool.loopKey(value) : value;
    return key === value || key === undefined ? value : JSON.parse(JSON.stringify(key));
  } catch {
    return value;
  }
}
