// How many tokens the requests of one run have, as we count them: the conversation only grows, so each message is looked at once.
import type { Message } from "../core/message.ts";
import type { ModelOffer } from "../core/model.ts";
import type { TokenCounter } from "../policy/tokens/request-tokens.ts";

export interface RequestTokens {
  /** Of a request with these messages, which begin like those that were asked about before. */
  request(messages: readonly Message[], offer: ModelOffer): number;
}

export function createRequestTokens(counter: TokenCounter): RequestTokens {
  let counted = 0;
  let tokens = 0;
  return {
    request: (messages, offer) => {
      for (; counted < messages.length; counted++) {
        const message = messages[counted];
        if (message) tokens += counter.message(message);
      }
      return tokens + counter.offer(offer);
    },
  };
}
