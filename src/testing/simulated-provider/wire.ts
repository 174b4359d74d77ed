// What each API has to tell for itself, and what is the same in all of them. Invariant: a function of answer, body and number only.
import type { Usage } from "../../core/usage.ts";
import type { SimulatedAnswer, SimulatedHttpFault } from "./reply.ts";
import type { SimulatedApi, SimulatedBody } from "./request.ts";

/** An answer and what is wrong with it, where a wire has to know. */
export interface WireAnswer extends SimulatedAnswer {
  readonly flaw?: "missing-role" | "empty-choices" | "truncated";
}

export interface WireRequest {
  readonly body: SimulatedBody;
  readonly index: number;
}

export interface WireError {
  readonly status: number;
  readonly body: object;
}

/** An API as the provider speaks it. */
export interface Wire {
  readonly api: SimulatedApi;
  readonly path: string;
  /** The header the id of the request is answered in. */
  readonly requestIdHeader: string;
  /** Whether the body is one of this API. */
  accepts(body: SimulatedBody): boolean;
  /** The whole answer, for a request that does not stream. */
  whole(answer: WireAnswer, request: WireRequest): object;
  /** The stream in chunks of one event or more, as text: the opening, the start of each call, each piece of text or arguments, the end. */
  chunks(answer: WireAnswer, request: WireRequest): readonly string[];
  error(kind: WireErrorKind, request: WireRequest): WireError;
  /** The error as an event of a stream that has been going on for `sequence` events. */
  errorEvent(kind: WireErrorKind, request: WireRequest, sequence: number): string;
  /** A sign of life without any content; `turn` counts from 0. */
  keepAlive(turn: number, answer: WireAnswer, request: WireRequest): string;
}

/** The HTTP errors that have JSON. */
export type WireErrorKind = Exclude<SimulatedHttpFault["fault"], "bad-gateway-html">;

/** A fixed second, in seconds: the same requests get the same bytes. */
export const createdAt = 1_767_225_600;

// Providers quote the request in such texts; the marker lets a test see that none of it gets into an error message.
export const errorText = "provider text: you sent 'secret prompt'";

/** An event of server-sent events; its name goes on a line of its own where the API does so. */
export const eventOf = (data: object, name?: string): string => `${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`;

export const commentLine = ": keep-alive\n\n";

export const textOf = ({ deltas, text, refusal }: SimulatedAnswer): string =>
  refusal === undefined ? (deltas?.join("") ?? text ?? "") : "";

/** The pieces in which the text is streamed. */
export function textPieces(answer: SimulatedAnswer): readonly string[] {
  return answer.refusal === undefined && answer.deltas ? answer.deltas : piecesOf(textOf(answer), answer);
}

/** Pieces of `chunkSize` characters that never part the two halves of one. */
export function piecesOf(text: string, { chunkSize = 20 }: SimulatedAnswer): readonly string[] {
  const characters = Array.from(text);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; start += chunkSize) pieces.push(characters.slice(start, start + chunkSize).join(""));
  return pieces;
}

export interface WireCall {
  /** Absent where it is to be left out. */
  readonly id?: string;
  readonly name: string;
  readonly args: string;
}

export function callsOf({ calls = [] }: SimulatedAnswer, index: number): readonly WireCall[] {
  return calls.map(({ name, arguments: args, callId }, position) => ({
    ...(callId === null ? {} : { id: callId ?? `call_${index}_${position}` }),
    name,
    args: typeof args === "string" ? args : JSON.stringify(args),
  }));
}

/** What is reported: input and output always, `sent` being the parts of the body that the estimate is made by. Undefined: nothing. */
export function usageOf(answer: SimulatedAnswer, sent: readonly unknown[]): WireUsage | undefined {
  if (answer.usage === null) return undefined;
  const answered = callsOf(answer, 0).flatMap(({ name, args }) => [name, args]);
  const said = textOf(answer) + answered.join("") + (answer.reasoning ?? "") + (answer.refusal ?? "");
  const usage: Usage = answer.usage ?? {};
  // What a report that is given does not have is not sent; an estimate says of the rest that there was none.
  const none = answer.usage ? undefined : 0;
  const { inputTokens = tokensIn(JSON.stringify(sent)), outputTokens = tokensIn(said) } = usage;
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: usage.inputTokenDetails?.cacheReadTokens ?? none,
    cacheWriteTokens: usage.inputTokenDetails?.cacheWriteTokens ?? none,
    reasoningTokens: usage.outputTokenDetails?.reasoningTokens ?? none,
  };
}

export interface WireUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number | undefined;
  readonly cacheWriteTokens: number | undefined;
  readonly reasoningTokens: number | undefined;
}

const tokensIn = (text: string) => Math.ceil(text.length / 4);
