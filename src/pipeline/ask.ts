// A model call: one step per concrete model. What goes into the journal is what is new since the call before.
import { AgentError, toAgentError } from "../core/errors.ts";
import { isObject, type Json } from "../core/json.ts";
import { isCall, isTextual } from "../core/message.ts";
import type { ModelRequest, ModelResponse } from "../core/model.ts";
import { done, failed, type Outcome } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import type { StepContext } from "../core/step.ts";
import { knownUsage } from "../core/usage.ts";
import { chatSpan } from "../telemetry/attributes.ts";
import type { Line } from "./line.ts";
import { wrapIn } from "./yours.ts";

/** What a model answered, and the key under which the journal holds it. */
export interface Answered {
  readonly response: ModelResponse;
  readonly ref: string;
}

/** Several models asked in one turn would be steps `model/0`, `model/1` and so on. */
const key = "model/0";

export async function ask(run: Run, line: Line, turn: number): Promise<Outcome<Answered>> {
  const { model, offer, modelTerms, around } = line.agent;
  const request: ModelRequest = {
    messages: Object.freeze(line.thread.messages.slice()),
    tools: offer.tools,
    settings: offer.settings,
    ...(offer.output ? { output: offer.output } : {}),
  };
  const ref = run.path + key;
  const outcome = await run.step({
    kind: "model",
    key,
    name: model.id,
    input: recordedInput(line),
    repeat: "freely",
    terms: modelTerms,
    span: () => chatSpan(model, request, line.streamed),
    facts: ({ usage }) => ({ usage }),
    mayRepeat: () => !line.window.hasShown(turn),
    perform: (context) => attempt(line, turn, request, context),
    ...wrapIn(around.model, { run: run.facts, key: ref, provider: model.provider, model: model.id, request }, isResponse),
  });
  if (outcome.status === "done") return done({ response: outcome.value, ref });
  return outcome.status === "failed" && line.window.hasShown(turn) ? brokenOff(model.id, outcome.error) : outcome;
}

/** Text that has been shown cannot be taken back, nor may anything be glued to it: the attempt was the only one. */
function brokenOff(id: string, error: AgentError): Outcome<never> {
  if (error.code === "cancelled" || error.code.startsWith("journal_")) return failed(error);
  const message = `The answer of ${id} broke off after part of it had been shown.`;
  return failed(new AgentError("stream_interrupted", message, { cause: error, details: { reason: error.code } }));
}

/** The messages since the last call, each once in a run's journal and by reference afterwards; what the model is offered, by its print. */
const recordedInput = ({ agent, thread }: Line): Json => ({
  provider: agent.model.provider,
  offer: agent.offer.print,
  messages: thread.takeNew(),
});

async function attempt(line: Line, turn: number, request: ModelRequest, context: StepContext): Promise<Outcome<ModelResponse>> {
  const { model } = line.agent;
  const { signal, clock } = context;
  // A model that was left behind, or has answered already, may go on talking; nobody listens any more.
  let listening = true;
  const onText = (text: string) => {
    if (listening && !signal.aborted) line.window.push(turn, text);
  };
  try {
    const streaming = line.streamed ? { onText } : {};
    const response = await model.call(request, { signal, attempt: context.attempt, now: () => clock.now(), ...streaming });
    if (!isResponse(response)) throw new AgentError("model_response_invalid", `${model.id} answered with something that is no response.`);
    return done(withKnownUsage(response));
  } catch (thrown) {
    throw toAgentError(thrown, "provider_unavailable", `${model.id} could not be reached.`);
  } finally {
    listening = false;
  }
}

/** A count that is none is not worth losing a paid answer for: it is as if it had not been reported. */
function withKnownUsage(response: ModelResponse): ModelResponse {
  const { usage, ...rest } = response;
  const known = knownUsage(usage);
  return known ? { ...rest, usage: known } : rest;
}

/** An adapter is somebody else's code: what the line relies on is looked at. */
function isResponse(response: unknown): response is ModelResponse {
  if (!isObject(response) || typeof response["finishReason"] !== "string") return false;
  const { message } = response;
  if (!isObject(message) || message["role"] !== "assistant" || !Array.isArray(message["content"])) return false;
  // To have stopped for calls and to make none is no answer either.
  if (response["finishReason"] === "tool-calls" && message["content"].length === 0) return false;
  return message["content"].every((part: unknown) => isTextual(part) || isCall(part));
}
