// The conversation of one run: only ever appended to, so that what is new since the last model call is all a step has to record.
import type { Json } from "../core/json.ts";
import { type AssistantMessage, callsOf, type Message, type ToolCall } from "../core/message.ts";
import { unfinishedResult } from "./calls/tool-result.ts";

export interface Thread {
  /** Everything so far, as a model reads it. Frozen, each message too. */
  readonly messages: readonly Message[];
  /**
   * Adds a message. `ref` is the key under which the journal holds its content; without one the message itself is recorded. What a model
   * said is shown to nobody until `showAnswer` when somebody looks at answers, nor its arguments until `showArguments` when somebody
   * looks at those.
   */
  add(message: Message, ref?: string): void;
  /** Adds the agent's instructions, which are no part of the conversation. */
  addInstructions(text: string, ref: string): void;
  /** Adds a message of an earlier conversation, which its owner knows. */
  addEarlier(message: Message, ref: string): void;
  /** Adds what the model is asked to do better: it can quote what nobody may see. */
  addReask(text: string, by: string): void;
  /** What may be shown of the latest answer of the model. */
  showAnswer(text: string): void;
  /** What may be shown as arguments of a call of the latest answer. */
  showArguments(position: number, text: string): void;
  /** What the model said last, and where the journal holds it. */
  latestAnswer(): { readonly message: AssistantMessage; readonly ref: string | undefined } | undefined;
  /** What was added since the last call, in recorded form: each message once in a run's journal, afterwards by reference. */
  takeNew(): readonly Json[];
  /**
   * The conversation as it may be shown, with a result for every call. `sure`: calls without one were never executed; else nobody knows.
   */
  transcript(sure: boolean): readonly Message[];
}

/** What is looked at before it may be shown. */
export interface Held {
  readonly answers: boolean;
  readonly calls: boolean;
}

export function createThread(held: Held): Thread {
  const messages: Message[] = [];
  const shown: Message[] = [];
  let fresh: Json[] = [];
  let latest = -1;
  let answer: ReturnType<Thread["latestAnswer"]>;

  const push = (message: Message, ref: string | undefined, visible?: Message) => {
    messages.push(frozen(message));
    if (visible) shown.push(visible);
    fresh.push(ref === undefined ? recordable(message) : { ...withoutContent(message), ref });
  };
  const show = (change: (answer: AssistantMessage) => AssistantMessage) => {
    const visible = shown[latest];
    if (visible?.role === "assistant") shown[latest] = change(visible);
  };

  return {
    messages,
    add: (message, ref) => {
      if (message.role !== "assistant") return push(message, ref, message);
      latest = shown.length;
      answer = { message, ref };
      push(message, ref, veiled(message, held));
    },
    addInstructions: (text, ref) => push({ role: "system", content: text }, ref),
    addEarlier: (message, ref) => push(message, ref, message),
    addReask: (text, by) => push({ role: "user", content: text }, undefined, { role: "user", content: `[asked again by ${by}]` }),
    showAnswer: (text) => show((visible) => ({ ...visible, content: [{ type: "text", text }, ...callsOf(visible)] })),
    showArguments: (position, text) => show((visible) => withArguments(visible, position, text)),
    latestAnswer: () => answer,
    takeNew: () => {
      const taken = fresh;
      fresh = [];
      return taken;
    },
    transcript: (sure) => complete(shown, sure),
  };
}

/** What nobody has looked at yet is not there, or empty. */
function veiled(message: AssistantMessage, { answers, calls }: Held): AssistantMessage {
  if (!answers && !calls) return message;
  const content = answers ? callsOf(message) : message.content;
  return {
    ...message,
    content: calls ? content.map((part) => (part.type === "tool-call" ? { ...part, arguments: "{}" } : part)) : content,
  };
}

// Middleware and models are handed these very objects; what they read is what is recorded, and stays so.
function frozen<M extends Message>(message: M): M {
  if (typeof message.content !== "string") {
    for (const part of message.content) Object.freeze(part);
    Object.freeze(message.content);
  }
  return Object.freeze(message);
}

function withArguments(answer: AssistantMessage, position: number, text: string): AssistantMessage {
  const call = callsOf(answer)[position];
  if (call?.arguments === text) return answer;
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

function complete(messages: readonly Message[], sure: boolean): readonly Message[] {
  const whole: Message[] = [];
  let open: ToolCall[] = [];
  const close = () => {
    for (const { callId, name } of open)
      whole.push({ role: "tool", callId, name, content: unfinishedResult(!sure).content, isError: true });
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
