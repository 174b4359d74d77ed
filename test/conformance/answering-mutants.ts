// Adapters that tell less than was answered, or something else, or at the wrong time.
import { AgentError, type AssistantPart, type Usage } from "airworthy";
import { answering, calling, hearing, type Mutant, omit, withoutThoughts } from "./mutant.ts";

const partsAnswered = (change: (parts: readonly AssistantPart[]) => readonly AssistantPart[]) =>
  answering((response) => ({ ...response, message: { ...response.message, content: change(response.message.content) } }));
const without = (field: "requestId" | "modelId" | "responseId" | "rateLimits") => answering((response) => omit(response, field));
const usageAs = (change: (usage: Usage | undefined) => Usage) => answering((response) => ({ ...response, usage: change(response.usage) }));

const oncePerId = (parts: readonly AssistantPart[]) => {
  const seen = new Set<string>();
  return parts.filter((part) => part.type !== "tool-call" || !(seen.has(part.callId) || !seen.add(part.callId)));
};

export const tellingMutants: readonly Mutant[] = [
  { what: "calls with a repeated id are not answered", by: "calls that share an id", wrap: partsAnswered(oncePerId) },
  {
    what: "only the first parallel call is kept",
    by: "text, calls in order",
    wrap: partsAnswered((parts) => {
      const first = parts.find(({ type }) => type === "tool-call");
      return parts.filter((part) => part.type !== "tool-call" || part === first);
    }),
  },
  {
    what: "reasoning is dropped",
    by: "hands back what was thought",
    only: ["responses", "messages"],
    wrap: partsAnswered(withoutThoughts),
  },
  { what: "requestId is dropped", by: "says which model answered", wrap: without("requestId") },
  { what: "modelId is dropped", by: "says which model answered", wrap: without("modelId") },
  { what: "responseId is dropped", by: "says which model answered", wrap: without("responseId") },
  { what: "rateLimits are dropped", by: "says which model answered", wrap: without("rateLimits") },
  {
    what: "`length` is told as `stop`",
    by: "cut off for its length",
    wrap: answering((response) => ({ ...response, finishReason: response.finishReason === "length" ? "stop" : response.finishReason })),
  },
  {
    what: "reasoningTokens: 0 is made up",
    by: "no details that were not reported",
    wrap: usageAs((usage) => ({ ...usage, outputTokenDetails: { reasoningTokens: 0, ...usage?.outputTokenDetails } })),
  },
  {
    what: "totals of usage that is unknown are told as 0",
    by: "not reported is absent",
    wrap: usageAs((usage) => ({ inputTokens: 0, outputTokens: 0, ...usage })),
  },
  {
    what: "Retry-After is dropped",
    by: "says when",
    wrap: (model) =>
      calling(model, async (request, context) => {
        try {
          return await model.call(request, context);
        } catch (thrown) {
          if (!AgentError.is(thrown)) throw thrown;
          const details = omit(omit(thrown.details, "retryAt"), "retryAfterMs");
          throw new AgentError(thrown.code, thrown.message, { details });
        }
      }),
  },
];

/** What goes wrong while it lasts. */
export const lastingMutants: readonly Mutant[] = [
  { what: "onUsage is never called", by: "told by onUsage", wrap: hearing((context) => omit(context, "onUsage")) },
  { what: "onProgress is never called", by: "tells of calls by onProgress", wrap: hearing((context) => omit(context, "onProgress")) },
  {
    what: "onProgress is called on a timer",
    by: "neither keep-alives nor time",
    wrap: (model) =>
      calling(model, async (request, context) => {
        const timer = setInterval(() => context.onProgress?.(), 50);
        return await model.call(request, context).finally(() => clearInterval(timer));
      }),
  },
  {
    what: "text is handed over in one piece",
    by: "hands text over in order",
    wrap: (model) =>
      calling(model, async (request, { onText, ...context }) => {
        let text = "";
        const response = await model.call(request, onText ? { ...context, onText: (piece) => void (text += piece) } : context);
        if (text !== "") onText?.(text);
        return response;
      }),
  },
  {
    what: "an abort is not passed on",
    by: "abort while nothing is answered",
    wrap: hearing((context) => ({ ...context, signal: new AbortController().signal })),
  },
  {
    what: "an abort is answered with what there is",
    by: "abort while nothing is answered",
    wrap: (model) =>
      calling(model, async (request, context) => {
        try {
          return await model.call(request, context);
        } catch (thrown) {
          if (!context.signal.aborted) throw thrown;
          return { message: { role: "assistant", content: [] }, finishReason: "stop" };
        }
      }),
  },
  {
    what: "attempts are glued",
    by: "begins anew",
    wrap: (model) => {
      let text = "";
      return calling(model, async (request, { onText, ...context }) => {
        const heard = (piece: string) => {
          text += piece;
          onText?.(piece);
        };
        const response = await model.call(request, onText ? { ...context, onText: heard } : context);
        if (text === "") return response;
        return { ...response, message: { role: "assistant", content: [{ type: "text", text }] } };
      });
    },
  },
  {
    what: "it tries again by itself",
    by: "500,",
    wrap: (model) =>
      calling(model, async (request, context) => {
        try {
          return await model.call(request, context);
        } catch (thrown) {
          if (!AgentError.is(thrown) || !thrown.retryable) throw thrown;
          return await model.call(request, context);
        }
      }),
  },
];
