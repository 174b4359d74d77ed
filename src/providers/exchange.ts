// One request and its answer, whole or as a stream, whatever the API. Invariant: an answer is given only when it is complete, and what an
// SDK passes over in silence (a stream that is cut, an error or a page under status 200) is an error here.
import { AgentError, toAgentError } from "../core/errors.ts";
import type { ModelContext, ModelResponse, RateLimits } from "../core/model.ts";
import { stopReason } from "../core/outcome.ts";
import type { Usage } from "../core/usage.ts";
import { objectIn } from "./wire.ts";

/** What one event of a stream brought. `progress`: anything of the answer at all, be it reasoning or a piece of a call. */
export interface Piece {
  readonly text: string;
  readonly progress: boolean;
}

export const nothing: Piece = { text: "", progress: false };

/** Several pieces that came at once. */
export const joined = (pieces: readonly Piece[]): Piece => ({
  text: pieces.map(({ text }) => text).join(""),
  progress: pieces.some(({ progress }) => progress),
});

/** An answer while it comes in. Both ways of taking it in give the same response. */
export interface Answer {
  /** Takes in an answer that came as one piece of JSON. Throws `AgentError` for one that reports a failure. */
  addWhole(data: unknown): Piece;
  /** Takes in one event of a stream. Throws `AgentError` for one that reports a failure. */
  addEvent(event: unknown): Piece;
  /** Something of the shape of an answer has come. */
  readonly started: boolean;
  /** The provider has said why it stopped: nothing but usage can follow. */
  readonly complete: boolean;
  /** As reported so far, also of an answer that never gets complete. */
  readonly usage: Usage | undefined;
  /** Only meaningful once complete. */
  response(): ModelResponse;
}

/** What an SDK hands over: the parsed body or the events, and the HTTP answer they came in. */
export interface Received {
  readonly data: unknown;
  readonly response: Response;
  readonly requestId: string | null | undefined;
}

/** What differs from API to API. */
export interface Api {
  /** For error messages and details. */
  readonly provider: string;
  /** Makes one request; `data` of a stream is an async iterable of its events. */
  send(streamed: boolean): Promise<Received>;
  createAnswer(): Answer;
  /** The error for anything `send` or the stream rejected with. */
  errorOf(thrown: unknown): AgentError;
  /** The error for an `error` object where an answer was due. */
  reportedError(error: unknown): AgentError;
  /** What the headers say of allowances. */
  rateLimits(headers: Headers, now: number): RateLimits | undefined;
}

/** Makes the request and reads the answer. Throws `AgentError`; once the signal is aborted its reason. */
export async function exchange(api: Api, context: ModelContext): Promise<ModelResponse> {
  try {
    const received = await translated(api, () => api.send(context.onText !== undefined));
    const answer = api.createAnswer();
    if (!context.onText) takeWhole(api, answer, received.data, context);
    // A gateway that ignores `stream`; an SDK would find no events in it and report nothing.
    else if (received.response.headers.get("content-type")?.includes("json")) {
      tell(context, takeWhole(api, answer, await translated(api, () => received.response.json()), context));
    } else await takeStream(api, answer, received.data, context);
    return { ...answer.response(), ...aboutAnswer(api, received, context.now()) };
  } catch (thrown) {
    throw context.signal.aborted ? stopReason(context.signal) : thrown;
  }
}

function takeWhole(api: Api, answer: Answer, data: unknown, context: ModelContext): Piece {
  const piece = counted(answer, context, () => answer.addWhole(data));
  const { error } = objectIn(data);
  if (error) throw api.reportedError(error);
  if (!answer.complete) throw notAnAnswer(api.provider, answer.started ? "it does not say why it ended" : "it has nothing of one");
  return piece;
}

async function takeStream(api: Api, answer: Answer, stream: unknown, context: ModelContext): Promise<void> {
  for await (const event of eventsOf(api, answer, stream)) {
    tell(
      context,
      counted(answer, context, () => answer.addEvent(event)),
    );
  }
  if (answer.complete) return;
  // An SDK ends the iteration without a word when the stream is cut, and also when the signal is aborted: exchange() tells the two apart.
  throw answer.started ? brokenOff(api.provider) : notAnAnswer(api.provider, "no event of it was part of one");
}

/** Takes something in, and tells of the usage it brought; also when it says that the answer has failed: it is paid all the same. */
function counted(answer: Answer, { onUsage }: ModelContext, take: () => Piece): Piece {
  const before = answer.usage;
  try {
    return take();
  } finally {
    if (answer.usage && answer.usage !== before) onUsage?.(answer.usage);
  }
}

function tell({ onText, onProgress }: ModelContext, { text, progress }: Piece) {
  if (progress) onProgress?.();
  if (text !== "") onText?.(text);
}

/** The events, with what the SDK throws as our errors; what the consumer of the events throws stays its own. */
async function* eventsOf(api: Api, answer: Answer, stream: unknown): AsyncGenerator<unknown> {
  if (!isStream(stream)) throw notAnAnswer(api.provider, "it is no stream");
  try {
    yield* stream;
  } catch (thrown) {
    // A connection that dies once the model has finished costs us the usage, not the answer.
    if (!answer.complete) throw api.errorOf(thrown);
  }
}

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

async function translated<T>(api: Api, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    throw AgentError.is(thrown) ? toAgentError(thrown, "provider_unavailable", `${api.provider} failed.`) : api.errorOf(thrown);
  }
}

function aboutAnswer(api: Api, { requestId, response }: Received, now: number): Pick<ModelResponse, "requestId" | "rateLimits"> {
  const rateLimits = api.rateLimits(response.headers, now);
  return { ...(requestId ? { requestId } : {}), ...(rateLimits ? { rateLimits } : {}) };
}

/** The provider answered under status 200, but not with an answer; `what` says what is wrong with it. */
export function notAnAnswer(provider: string, what: string, cause?: unknown): AgentError {
  return new AgentError("model_response_invalid", `What ${provider} sent is no answer of a model: ${what}.`, {
    details: { provider },
    cause,
  });
}

/** The stream ended in good order, but before the model had finished. */
const brokenOff = (provider: string) =>
  new AgentError("provider_unavailable", `${provider} broke off its answer.`, { details: { provider } });
