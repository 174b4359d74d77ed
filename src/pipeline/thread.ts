// The conversation of one run: only ever appended to, so that what is new since the last model call is all a step has to record.

import { AgentError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { callsOf, type Message, type ToolCall, type ToolMessage } from "../core/message.ts";
import { failureContent } from "./tool-result.ts";

export interface Thread {
  /** Everything so far, as a model reads it. */
  readonly messages: readonly Message[];
  /** Adds a message. `ref` is the key of the step whose recorded value holds it; without one the message itself is recorded. */
  add(message: Message, ref?: string): void;
  /** What was added since the last call, in recorded form: each message once in a run's journal, afterwards by reference. */
  takeNew(): readonly Json[];
  /** The messages with a result for every call, also for those that were never executed. */
  transcript(): readonly Message[];
}

export function createThread(): Thread {
  const messages: Message[] = [];
  let fresh: Json[] = [];
  return {
    messages,
    add: (message, ref) => {
      messages.push(message);
      fresh.push(ref === undefined ? recordable(message) : { ref });
    },
    takeNew: () => {
      const taken = fresh;
      fresh = [];
      return taken;
    },
    transcript: () => complete(messages),
  };
}

// Written out, because a message is an interface and so not assignable to Json as a whole.
function recordable(message: Message): Json {
  if (message.role === "tool") return { ...message };
  const { role, content } = message;
  return { role, content: typeof content === "string" ? content : content.map((part) => ({ ...part })) };
}

const notExecuted = new AgentError("tool_cancelled", "The call was not executed: the run had stopped.");

/** The result of a call that never got one. */
export function cancelledResult(call: ToolCall): ToolMessage {
  return { role: "tool", callId: call.callId, name: call.name, content: failureContent(notExecuted), isError: true };
}

function complete(messages: readonly Message[]): readonly Message[] {
  const whole: Message[] = [];
  let open: ToolCall[] = [];
  const close = () => {
    for (const call of open) whole.push(cancelledResult(call));
    open = [];
  };
  for (const message of messages) {
    if (message.role === "tool") open.splice(0, 1);
    else close();
    whole.push(message);
    if (message.role === "assistant") open = [...callsOf(message)];
  }
  close();
  return whole;
}
