// A call that is refused before it comes to its tool: still a step with one result and a span, so that it is seen; nothing is performed.
import { AgentError } from "../../core/errors.ts";
import type { ToolCall } from "../../core/message.ts";
import { done } from "../../core/outcome.ts";
import type { Step } from "../../core/step.ts";
import type { ToolResult } from "../../core/tool.ts";
import { refusedToolSpan } from "../../telemetry/attributes.ts";
import { failedResult } from "./tool-result.ts";

export function refusedStep(key: string, call: ToolCall, name: string, error: AgentError): Step<ToolResult> {
  const result = failedResult(error);
  const span = () => refusedToolSpan(name === unknown ? undefined : name);
  return {
    kind: "tool",
    key,
    name,
    input: { callId: call.callId, ...(name === unknown ? { name: call.name } : {}), arguments: call.arguments },
    repeat: "freely",
    terms: { attempts: 1, timeoutMs: 0 },
    span,
    facts: () => ({ code: error.code }),
    gate: ({ trace }) => {
      const { name: title, kind, attributes } = span();
      trace.child(title, kind, attributes).end(error);
      return Promise.resolve(done(result));
    },
    perform: () => Promise.resolve(done(result)),
  };
}

/** What the journal calls a tool that does not exist: the name a model made up is its own text. */
const unknown = "unknown";

export function unknownToolStep(key: string, call: ToolCall, existing: Iterable<string>): Step<ToolResult> {
  const names = [...existing];
  const message =
    names.length > 0 ? `There is no such tool. The tools are: ${names.join(", ")}.` : "There is no such tool; there are none at all.";
  return refusedStep(key, call, unknown, new AgentError("tool_unknown", message));
}
