// A call of a tool that does not exist: still a step with one result, so that the transcript stays whole; nothing is performed.
import { AgentError } from "../core/errors.ts";
import type { ToolCall } from "../core/message.ts";
import { done } from "../core/outcome.ts";
import type { Step } from "../core/step.ts";
import type { ToolResult } from "../core/tool.ts";
import { failedResult } from "./tool-result.ts";

export function unknownToolStep(key: string, call: ToolCall, existing: Iterable<string>): Step<ToolResult> {
  const names = [...existing];
  const message =
    names.length > 0 ? `There is no such tool. The tools are: ${names.join(", ")}.` : "There is no such tool; there are none at all.";
  const result = failedResult(new AgentError("tool_unknown", message));
  return {
    kind: "tool",
    key,
    name: "unknown",
    input: { callId: call.callId, name: call.name, arguments: call.arguments },
    repeat: "freely",
    terms: { attempts: 1, timeoutMs: 0, baseMs: 0, maxMs: 0 },
    span: { name: "execute_tool", kind: "internal", attributes: {} },
    gate: () => Promise.resolve(done(result)),
    perform: () => Promise.resolve(done(result)),
  };
}
