// How many tokens a request has, from above: messages, tools, output schema and files. Invariant: what is added never lowers the count.
import type { FilePart, Message } from "../../core/message.ts";
import type { ModelOffer, ToolSpec } from "../../core/model.ts";
import { countTokens } from "./estimate.ts";

export type CountText = (text: string) => number;

/** Counts what requests consist of; a message or an offer that was counted before is not counted again. */
export interface TokenCounter {
  message(message: Message): number;
  offer(offer: ModelOffer): number;
}

/** What providers add around texts, and what a file is counted for; where each comes from is in docs/guides/token-counting.md. Tokens. */
const requestTokens = {
  perMessage: 8,
  /** Around a part of a message: its kind, the id and name of a call. */
  perPart: 4,
  perCall: 24,
  perTool: 16,
  /** Once, when there are any tools: the instructions providers add for their use. */
  tools: 700,
  output: 50,
  image: 5_000,
  /** A document, which is read both as text and as pictures; by its URL nothing more is known of it. */
  largestFile: 1_000_000,
  fileByUrl: 200_000,
} as const;

const bytesPerToken = 2;

/**
 * A counter that counts texts with `count`; default the estimate. Where `count` throws, or answers no number or less than nothing, the
 * estimate holds. Messages and offers are never mutated, so each is counted once.
 */
export function createTokenCounter(count: CountText = countTokens): TokenCounter {
  const safe = (text: string) => (text === "" ? 0 : (asked(count, text) ?? countTokens(text)));
  return {
    message: once((message) => messageTokens(message, safe)),
    offer: once((offer) => offerTokens(offer, safe)),
  };
}

function once<Counted extends object>(count: (counted: Counted) => number): (counted: Counted) => number {
  const known = new WeakMap<Counted, number>();
  return (counted) => {
    const before = known.get(counted);
    if (before !== undefined) return before;
    const tokens = count(counted);
    known.set(counted, tokens);
    return tokens;
  };
}

/** What the user's function says, rounded up; undefined when that cannot be. */
function asked(count: CountText, text: string): number | undefined {
  try {
    const tokens = count(text);
    return Number.isFinite(tokens) && tokens >= 0 ? Math.ceil(tokens) : undefined;
  } catch {
    return undefined;
  }
}

/** The tokens of one message as part of a request. */
function messageTokens(message: Message, count: CountText): number {
  const { perMessage, perCall } = requestTokens;
  if (message.role === "tool") return perMessage + perCall + count(message.name) + count(message.callId) + count(message.content);
  if (typeof message.content === "string") return perMessage + count(message.content);
  let sum: number = perMessage;
  for (const part of message.content) sum += partTokens(part, count);
  return sum;
}

type Part = Exclude<Message["content"], string>[number];

function partTokens(part: Part, count: CountText): number {
  const { perPart, perCall } = requestTokens;
  switch (part.type) {
    case "file":
      return perPart + fileTokens(part, count);
    case "tool-call":
      return perCall + count(part.name) + count(part.callId) + count(part.arguments);
    case "text":
      return perPart + count(part.text);
    case "reasoning":
      return perPart + count(part.text) + (part.providerMetadata === undefined ? 0 : count(JSON.stringify(part.providerMetadata)));
  }
}

function fileTokens(file: FilePart, count: CountText): number {
  const { image, largestFile, fileByUrl } = requestTokens;
  const named = file.filename === undefined ? 0 : count(file.filename);
  if (file.mediaType.startsWith("image/")) return named + image;
  if (file.data === undefined) return named + fileByUrl;
  return named + Math.min(largestFile, Math.ceil((file.data.length * 3) / 4 / bytesPerToken));
}

/** The tokens of what every request of an agent has beside its messages: tools and the shape of the answer. */
function offerTokens({ tools, output }: ModelOffer, count: CountText): number {
  let sum = 0;
  for (const tool of tools) sum += toolTokens(tool, count);
  if (tools.length > 0) sum += requestTokens.tools;
  if (output) sum += requestTokens.output + count(output.name) + count(JSON.stringify(output.schema));
  return sum;
}

const toolTokens = ({ name, description, inputSchema }: ToolSpec, count: CountText) =>
  requestTokens.perTool + count(name) + count(description) + count(JSON.stringify(inputSchema));
