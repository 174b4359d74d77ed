// One call of one concrete model: a step of its own. What goes into the journal is what is new since the call before.

import type { Reserved } from "../core/cost.ts";
import { AgentError, toAgentError } from "../core/errors.ts";
import type { AskedStep } from "../core/journal.ts";
import { isJsonValue, isObject, type Json } from "../core/json.ts";
import type { StepCost } from "../core/ledger.ts";
import { isCall, isTextual } from "../core/message.ts";
import type { ModelRequest, ModelResponse } from "../core/model.ts";
import { done, type Outcome } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import type { StepContext } from "../core/step.ts";
import { knownUsage, type Usage } from "../core/usage.ts";
import { type KnownUsage, modelCost } from "../policy/budgets/model-cost.ts";
import { chatSpan } from "../telemetry/attributes.ts";
import type { Candidate } from "./candidates.ts";
import type { Line } from "./line.ts";
import { wrapIn } from "./yours.ts";

/** What a model answered, and the key under which the journal holds it. */
export interface Answered {
  readonly response: ModelResponse;
  readonly ref: string;
}

/** Which model is asked, and where it stands among those that may be. */
export interface Asking {
  readonly candidate: Candidate;
  readonly position: number;
  readonly turn: number;
  /** What is new in the conversation, as it is recorded with this call; nothing when it stands with another model of this turn. */
  readonly fresh: readonly Json[];
  /** The answer a run is wrapped up with, paid from what was kept back for it. */
  readonly isWrapUp?: true;
}

/** Models asked in one turn are steps `model/0`, `model/1` and so on. */
export const keyOf = (position: number): string => `model/${position}`;

export async function askModel(run: Run, line: Line, asking: Asking): Promise<Outcome<Answered>> {
  const { candidate, position, turn } = asking;
  const { model, offer, terms, streamedTerms } = candidate;
  const { print: _, ...offered } = offer;
  const request: ModelRequest = { messages: Object.freeze(line.thread.messages.slice()), ...offered };
  const key = keyOf(position);
  const ref = run.path + key;
  const attempts = createAttempts(line, candidate, turn, request);
  const { limits } = line.ledger;
  const outcome = await run.step({
    ...askedStep(asking),
    repeat: "freely",
    terms: line.streamed ? streamedTerms : terms,
    span: () => chatSpan(model, request, line.streamed),
    facts: ({ usage }) => ({ usage }),
    takeSpent: attempts.takeSpent,
    ...(candidate.price || limits.length > 0 ? { cost: costOfAsking(line, asking, attempts.takeKnown) } : {}),
    mayRepeat: () => line.restarts || !line.window.hasShown(turn),
    perform: attempts.perform,
    ...wrapIn(line.agent.around.model, { run: run.facts, key: ref, provider: model.provider, model: model.id, request }, isKept),
  });
  return outcome.status === "done" ? done({ response: outcome.value, ref }) : outcome;
}

/**
 * The step as it is recorded and compared. Its input: the messages since the last call, each once in a run's journal and by reference
 * afterwards; what the model is offered, by its print.
 */
export const askedStep = ({ candidate, position, fresh }: Asking): AskedModel => ({
  kind: "model",
  key: keyOf(position),
  name: candidate.model.id,
  input: { provider: candidate.model.provider, offer: candidate.offer.print, messages: fresh },
});

interface AskedModel extends AskedStep {
  readonly input: Json;
}

function costOfAsking(line: Line, { candidate, isWrapUp }: Asking, known: () => KnownUsage): StepCost<ModelResponse> {
  const { price, factor, offer } = candidate;
  const { maxOutputTokens, minOutputTokens } = line.agent.budgets.terms;
  return modelCost({
    price,
    factor,
    count: () => line.tokens.request(line.thread.messages, offer),
    most: offer.settings.maxOutputTokens ?? maxOutputTokens,
    least: Math.max(minOutputTokens, candidate.model.minOutputTokens ?? 0),
    known,
    ...(isWrapUp ? { isWrapUp } : {}),
  });
}

type Attempted = { -readonly [Field in keyof KnownUsage]: KnownUsage[Field] };

/** The attempts of one call, and what the one in flight is known to have used. */
function createAttempts(line: Line, { model }: Candidate, turn: number, request: ModelRequest) {
  /** Of the latest attempt: one that was left behind may still go on, and says nothing about the next. */
  let latest: Attempted = { usage: undefined, isFinal: false, wasAsked: false };

  const perform = async (context: StepContext): Promise<Outcome<ModelResponse>> => {
    const { signal, clock, attempt, reserved } = context;
    const affordable = shortened(request, reserved);
    const mine: Attempted = { usage: undefined, isFinal: false, wasAsked: true };
    latest = mine;
    // A model that was left behind, or has answered already, may go on talking; nobody listens any more.
    let listening = true;
    const heard = () => listening && !signal.aborted;
    const onProgress = () => {
      if (heard()) context.progress();
    };
    const onText = (text: unknown) => {
      // An adapter is somebody else's code: no text is no token.
      if (typeof text !== "string" || text === "") return;
      onProgress();
      if (heard()) line.window.push(turn, text);
    };
    const onUsage = (usage: Usage) => {
      // Paid is paid, also by a run that has been told to stop.
      if (listening) mine.usage = knownUsage(usage) ?? mine.usage;
    };
    const listeners = { onUsage, ...(line.streamed ? { onText, onProgress } : {}) };
    line.window.restart(turn);
    try {
      const response = await model.call(affordable, { signal, attempt, now: () => clock.now(), ...listeners });
      // What it used counts whatever becomes of the answer.
      if (isObject(response)) onUsage(Object(response).usage);
      mine.isFinal = true;
      if (!isResponse(response)) throw new AgentError("model_response_invalid", `${model.id} answered with something that is no response.`);
      return done(storable(model.id, withKnownUsage(response)));
    } catch (thrown) {
      throw toAgentError(thrown, "provider_unavailable", `${model.id} could not be reached.`);
    } finally {
      listening = false;
    }
  };

  const takeSpent = () => {
    const { usage } = latest;
    latest.usage = undefined;
    return usage;
  };
  /** What of it is known for what it costs; the usage itself stays, to be taken by the journal. */
  const takeKnown = (): KnownUsage => {
    const known = { ...latest };
    [latest.isFinal, latest.wasAsked] = [false, false];
    return known;
  };
  return { perform, takeSpent, takeKnown };
}

/** The request as a budget affords it. */
function shortened(request: ModelRequest, reserved: Reserved | undefined): ModelRequest {
  const { maxOutputTokens } = reserved ?? {};
  if (maxOutputTokens === undefined || maxOutputTokens === request.settings.maxOutputTokens) return request;
  return { ...request, settings: { ...request.settings, maxOutputTokens } };
}

/** A count that is none is not worth losing a paid answer for: it is as if it had not been reported. */
function withKnownUsage(response: ModelResponse): ModelResponse {
  const { usage, ...rest } = response;
  const known = knownUsage(usage);
  return known ? { ...rest, usage: known } : rest;
}

/** What the journal cannot hold is no answer: another attempt or model may give one. */
function storable(modelId: string, response: ModelResponse): ModelResponse {
  if (isJsonValue(response)) return response;
  throw new AgentError("model_response_invalid", `${modelId} answered with something that is not plain JSON.`);
}

/** What a middleware answers is recorded as it is, so all of it has to be right. */
const isKept = (value: unknown) =>
  isResponse(value) && isJsonValue(value) && (value.usage === undefined || knownUsage(value.usage) === value.usage);

/** An adapter is somebody else's code: what the line relies on is looked at. */
function isResponse(response: unknown): response is ModelResponse {
  if (!isObject(response) || typeof response["finishReason"] !== "string") return false;
  const { message } = response;
  if (!isObject(message) || message["role"] !== "assistant" || !Array.isArray(message["content"])) return false;
  // To have stopped for calls and to make none is no answer either.
  if (response["finishReason"] === "tool-calls" && message["content"].length === 0) return false;
  return message["content"].every((part: unknown) => isTextual(part) || isCall(part));
}
