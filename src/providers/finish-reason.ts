// Why a model stopped, from the word its provider has for it.
import type { FinishReason } from "../core/model.ts";

/** A word that is not known, or none, is `other`. */
export function finishReasonOf(words: ReadonlyMap<string, FinishReason>, said: string | undefined, hasCalls: boolean): FinishReason {
  const reason = words.get(said ?? "") ?? "other";
  // Some gateways say that the answer is over although the message holds calls.
  return reason === "stop" && hasCalls ? "tool-calls" : reason;
}
