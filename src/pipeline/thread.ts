// The conversation of one run: only ever appended to, so that what is new since the last model call is all a step has to record.
import type { Json } from "../core/json.ts";
import { type AssistantMessage, callsOf, type Message, type ToolCall } from "../core/message.ts";
import { unfinishedResult } from "./calls/tool-result.ts";

export interface Thread {
  /** Everything so far, as a model reads it. */
  readonly messages: readonly Message[];
  /**
   * Adds a message. `ref` is the key under which the journal holds its content; without one the message itself is recorded. What a model
   * said is shown to nobody until `showAnswer`, when there are output guardrails; its calls are.
   */
  add(message: Message, ref?: string): void;
  /** Adds a message of an earlier conversation, which its owner knows. */
  addEarlier(message: Message, ref: string): void;
  /** What may be shown of the latest answer of the model. */
  showAnswer(text: string): void;
  /** What may be shown as arguments of a call of the latest answer. */
  showArguments(position: number, text: string): void;
  /** What the model said last, and where the journal holds it. */
  latestAnswer(): { readonly message: AssistantMessage; readonly ref: string | undefined } | undefined;
  /** What was added since the last call, in recorded form: each message once in a run's journal, afterwards by reference. */
  takeNew(): readonly Json[];
  /** The messages as they may be shown, with a result for every call, also for those that were never executed. */
  transcript(): readonly Message[];
}

/** `held`: there are output guardrails. */
export function createThread(held: boolean): Thread {
  const messages: Message[] = [];
  const shown: Message[] = [];
  let fresh: Json[] = [];
  let latest = -1;
  let answer: ReturnType<Thread["latestAnswer"]>;

  const push = (message: Message, visible: Message, ref: string | undefined) => {
    messages.push(message);
    shown.push(visible);
    fresh.push(ref === undefined ? recordable(message) : { ...withoutContent(message), ref });
  };
  const show = (change: (answer: AssistantMessage) => AssistantMessage) => {
    const visible = shown[latest];
    if (visible?.role === "assistant") shown[latest] = change(visible);
  };

  return {
    messages,
    add: (message, ref) => {
      if (message.role === "assistant") {
        latest = messages.length;
        answer = { message, ref };
      }
      push(message, held && message.role === "assistant" ? { role: "assistant", content: callsOf(message) } : message, ref);
    },
    addEarlier: (message, ref) => push(message, message, ref),
    showAnswer: (text) => show((answer) => ({ ...answer, content: [{ type: "text", text }, ...callsOf(answer)] })),
    showArguments: (position, text) => show((answer) => withArguments(answer, position, text)),
    latestAnswer: () => answer,
    takeNew: () => {
      const taken = fresh;
      fresh = [];
      return taken;
    },
    transcript: () => complete(shown),
  };
}

function withArguments(answer: AssistantMessage, position: number, text: string): AssistantMessage {
  const call = callsOf(answer)[position];
  return { ...answer, content: answer.content.map((part) => (part === call ? { ...part, arguments: text } : part)) };
}

// Written out, because a message is an interface and so not assignable to Json as a whole.
function recordable(message: Message): Json {
  if (message.role === "tool") return { ...message };
  const { role, content } = message;
  return { role, content: typeof content === "string" ? content : content.map((part) => ({ ...part })) };
}

function withoutContent(message: Message): { readonly [key: string]: Json } {
  if (message.role !== "tool") return { role: message.role };
  const { role, callId, name, isError } = message;
  return { role, callId, name, ...(isError ? { isError } : {}) };
}

function complete(messages: readonly Message[]): readonly Message[] {
  const whole: Message[] = [];
  let open: ToolCall[] = [];
  const close = () => {
    for (const { callId, name } of open)
      whole.push({ role: "tool", callId, name, content: unfinishedResult(false).content, isError: true });
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
