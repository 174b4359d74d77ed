// A call of a tool that does not exist: still a step with one result and a span, so that it is seen; nothing is performed.
import { AgentError } from "../../core/errors.ts";
import type { ToolCall } from "../../core/message.ts";
import { done } from "../../core/outcome.ts";
import type { Step } from "../../core/step.ts";
import type { ToolResult } from "../../core/tool.ts";
import { unknownToolSpan } from "../../telemetry/attributes.ts";
import { failedResult } from "./tool-result.ts";

export function unknownToolStep(key: string, call: ToolCall, existing: Iterable<string>): Step<ToolResult> {
  const names = [...existing];
  const message =
    names.length > 0 ? `There is no such tool. The tools are: ${names.join(", ")}.` : "There is no such tool; there are none at all.";
  const error = new AgentError("tool_unknown", message);
  const span = () => unknownToolSpan(call.callId);
  return {
    kind: "tool",
    key,
    // The name a model made up is its own text: it stays out of the step's name, as it does out of the span. No tool has this one.
    name: "(unknown)",
    input: { callId: call.callId, name: call.name, arguments: call.arguments },
    repeat: "freely",
    terms: { attempts: 1, timeoutMs: 0 },
    span,
    facts: () => ({ code: error.code }),
    gate: ({ trace }) => {
      const { name, kind, attributes } = span();
      trace.child(name, kind, attributes).end(error);
      return Promise.resolve(done(failedResult(error)));
    },
    perform: () => Promise.resolve(done(failedResult(error))),
  };
}
