// The provider that is paid, a process of its own, and the till of tools. It counts real tokens for whatever it answers or may charge.
// Invariant: what was charged is never taken back, so what it says at the end is the most there ever was.
import { createServer } from "node:http";
import { setTimeout } from "node:timers/promises";
import { type SimulatedReply, type SimulatedRequest, simulatedProvider } from "airworthy/testing";
import { exactTokens } from "airworthy/tokens";
import { prices } from "./budget-spender.ts";
import { seeded } from "./seeded.ts";

/** What the provider and the till have taken, in nano-dollars; to whoever asks. */
export interface Takings {
  readonly spent: number;
  /** Requests that were charged, those that were not, and payments of tools. */
  readonly charged: number;
  readonly free: number;
  readonly payments: number;
}

export interface BudgetWorldWord {
  readonly provider?: string;
  readonly till?: string;
  readonly takings?: Takings;
}

const [seed = "1", faultShare = "0"] = process.argv.slice(2);
const chance = seeded(Number(seed));
const tokensIn = exactTokens();
const takings = { spent: 0, charged: 0, free: 0, payments: 0 };
const tell = (word: BudgetWorldWord) => process.send?.(word);

/** Not charged by anybody: an error in place of an answer. */
const freeFaults = [{ fault: "rate-limit", retryAfterMs: "1" }, { fault: "server-error" }, { fault: "unavailable" }] as const;
/** Charged all the same: the answer was made, and got lost on its way. */
const lossyFaults = [
  { fault: "cut", afterChunks: 1 },
  { fault: "half-event", afterChunks: 1 },
  { fault: "reset-mid-body", afterChunks: 1 },
  { fault: "error-mid-body", afterChunks: 1, error: "overloaded" },
  { fault: "error-mid-body", afterChunks: 1, error: "rate-limit" },
  { fault: "reset" },
  { fault: "empty-200" },
  { fault: "error-200" },
  { fault: "html-200" },
  { fault: "hang" },
] as const;
const oneOf = <T>(list: readonly T[]): T => list[Math.floor(chance() * list.length)]!;

/** Every text in it, names and arguments of calls included. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Real tokens, and a few that only the provider knows of; the money for them is a whole number. */
function charge({ body }: SimulatedRequest) {
  const price = prices[String(body.model)];
  if (!price) throw new Error(`Nobody knows the model ${String(body.model)}.`);
  const counted = textsIn([body.messages, body.tools]).reduce((sum, text) => sum + tokensIn(text), 0);
  const inputTokens = Math.ceil(counted * (1 + chance() * 0.05));
  const outputTokens = 1 + Math.floor(chance() * Number(body["max_completion_tokens"]));
  takings.spent += inputTokens * price.input * 1_000 + outputTokens * price.output * 1_000;
  takings.charged += 1;
  return { inputTokens, outputTokens };
}

async function reply(request: SimulatedRequest): Promise<SimulatedReply> {
  // A few errors that cost nothing are a provider's everyday life.
  if (chance() < 0.03) {
    takings.free += 1;
    return oneOf(freeFaults);
  }
  const usage = charge(request);
  const mayCall = request.body["tool_choice"] !== "none" && !request.conversation.some(({ role }) => role === "tool");
  const calls =
    mayCall && chance() < 0.5 ? Array.from({ length: 1 + Math.floor(chance() * 3) }, () => ({ name: "buy", arguments: {} })) : [];
  const answer = calls.length > 0 ? { calls, usage } : { text: "Your parcel is on its way.", usage };
  await setTimeout(chance() * 15);
  return chance() < Number(faultShare) ? { ...answer, ...oneOf(lossyFaults) } : answer;
}

const provider = await simulatedProvider({ rules: reply });
const till = createServer((request, response) => {
  let text = "";
  request.on("data", (chunk) => (text += String(chunk)));
  request.on("end", () => {
    takings.spent += Number(text);
    takings.payments += 1;
    response.end("paid");
  });
});
till.listen(0, "127.0.0.1", () => {
  const address = till.address();
  const port = typeof address === "object" ? address?.port : undefined;
  tell({ provider: provider.baseURL, till: `http://127.0.0.1:${port}/` });
});
process.on("message", () => tell({ takings }));
process.on("disconnect", () => process.exit());
