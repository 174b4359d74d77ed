// A model that says what a test tells it to. Invariant: no network, no time, no randomness: the same script gives the same run.
import { AgentError } from "../core/errors.ts";
import type { AssistantPart } from "../core/message.ts";
import type { FinishReason, Model, ModelContext, ModelRequest, ModelResponse } from "../core/model.ts";
import { stopReason } from "../core/outcome.ts";
import type { Usage } from "../core/usage.ts";
import { unlessAborted } from "../core/waiting.ts";
import { frozen } from "./frozen.ts";

/** A tool call the model makes. */
export interface ScriptedCall {
  readonly name: string;
  /** An object is sent as its JSON; a string goes out as it is, so that broken arguments can be tried. */
  readonly arguments: object | string;
  /** Default `call_1`, `call_2` and so on, counted over the life of the model. */
  readonly callId?: string;
}

/** An answer in full. What is left out takes the default named. */
export interface ScriptedAnswer {
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** Default 10 input and 5 output tokens; `null` for a provider that reports no usage. */
  readonly usage?: Usage | null;
  /** Default `tool-calls` when there are calls, else `stop`. */
  readonly finishReason?: FinishReason;
  /** The text in the pieces in which it is streamed; takes the place of `text`. */
  readonly deltas?: readonly string[];
  readonly reasoning?: string;
}

/** Decides on the reply when the call comes. It gets the signal in `context` and has to heed it itself. */
export type ScriptedFunction = (request: ModelRequest, context: ModelContext) => ScriptedReply | Promise<ScriptedReply>;

/** A string is an answer of that text; an `Error` is thrown. */
export type ScriptedReply = string | ScriptedAnswer | Error | ScriptedFunction;

/** One reply per call, or a function of the call; `callNumber` starts at 1. */
export type Script =
  | readonly ScriptedReply[]
  | ((request: ModelRequest, context: ModelContext, callNumber: number) => ScriptedReply | Promise<ScriptedReply>);

export interface ScriptedModelOptions {
  /** Default `scripted`. */
  readonly id?: string;
  /** Default `scripted`. */
  readonly provider?: string;
  /** Keep a copy of every request in `requests`; default true. Turn it off for very many calls. */
  readonly record?: boolean;
}

export interface ScriptedModel extends Model {
  /** Every request so far as it was at the time of the call: deeply frozen copies, calls that were refused or failed included. */
  readonly requests: readonly ModelRequest[];
  /** How many calls were made. */
  readonly calls: number;
}

/**
 * A `Model` for tests of your own agents: give it to `createAgent` in place of a real one.
 *
 *     const model = scriptedModel([
 *       { calls: [{ name: "findOrder", arguments: { id: "4711" } }] },
 *       "Your order is on its way.",
 *     ]);
 *
 * A list is used up in the order in which the calls come; a call beyond its end is rejected with `configuration_invalid`, which nothing
 * retries. Where calls run at the same time, give a function and decide by the request. A call whose signal is aborted is rejected with
 * the signal's reason, before the reply and between deltas.
 */
export function scriptedModel(script: Script, options: ScriptedModelOptions = {}): ScriptedModel {
  const { id = "scripted", provider = "scripted", record = true } = options;
  const requests: ModelRequest[] = [];
  let calls = 0;
  let toolCalls = 0;
  const nextCallId = () => `call_${++toolCalls}`;

  return {
    provider,
    id,
    requests,
    get calls() {
      return calls;
    },
    async call(request, context) {
      const callNumber = ++calls;
      if (record) requests.push(frozen(structuredClone(request)));
      if (context.signal.aborted) throw stopReason(context.signal);
      let reply = typeof script === "function" ? await script(request, context, callNumber) : replyAt(script, callNumber);
      while (typeof reply === "function") reply = await reply(request, context);
      if (reply instanceof Error) throw reply;
      const answer = typeof reply === "string" ? { text: reply } : reply;
      await stream(answer, context);
      return responseOf(answer, id, nextCallId);
    },
  };
}

/** A reply that never comes: waits until the call's signal is aborted and rejects with its reason, as a well-behaved adapter does. */
export function hang(): ScriptedFunction {
  return (_request, { signal }) => unlessAborted(new Promise<never>(() => {}), signal);
}

/** A reply that never comes and ignores the signal, as a badly-behaved adapter does: only a time-out around the call ends the wait. */
export function hangForever(): ScriptedFunction {
  return () => new Promise(() => {});
}

function replyAt(script: readonly ScriptedReply[], callNumber: number): ScriptedReply {
  const reply = script[callNumber - 1];
  if (reply !== undefined) return reply;
  throw new AgentError("configuration_invalid", `The script of the model has ${script.length} replies, but this is call ${callNumber}.`, {
    hint: "Add a reply to the script, or look at the model's `requests` for the calls that came unexpected.",
  });
}

async function stream({ text, deltas }: ScriptedAnswer, { signal, onText }: ModelContext): Promise<void> {
  if (!onText) return;
  for (const piece of deltas ?? (text ? [text] : [])) {
    if (signal.aborted) throw stopReason(signal);
    onText(piece);
    // A turn for the consumer, so that leaving the stream or a guardrail can stop it between two pieces.
    await Promise.resolve();
  }
}

function responseOf(answer: ScriptedAnswer, modelId: string, nextCallId: () => string): ModelResponse {
  const { calls = [], reasoning } = answer;
  const { usage = { inputTokens: 10, outputTokens: 5 }, finishReason = calls.length > 0 ? "tool-calls" : "stop" } = answer;
  const text = answer.deltas ? answer.deltas.join("") : answer.text;
  const content: AssistantPart[] = [];
  if (reasoning) content.push({ type: "reasoning", text: reasoning });
  if (text) content.push({ type: "text", text });
  for (const call of calls) {
    const args = typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
    content.push({ type: "tool-call", callId: call.callId ?? nextCallId(), name: call.name, arguments: args });
  }
  return { message: { role: "assistant", content }, finishReason, ...(usage ? { usage } : {}), modelId };
}
