// What both contenders work with: a model that answers from the conversation alone and costs next to nothing, and one zod tool.
import { type AgentOptions, createAgent, type Message, type Model, type ModelResponse, tool } from "airworthy";
import { z } from "zod";

export const inputSchema = z.object({ n: z.number() });

/** The work of the tool, the same for both. */
export const addOne = ({ n }: { readonly n: number }) => ({ n: n + 1 });

const add = tool({ description: "Adds one.", effect: "read", inputSchema, execute: addOne });

export const answerText = "done";

const usage = { inputTokens: 10, outputTokens: 5 };
const answer: ModelResponse = {
  message: { role: "assistant", content: [{ type: "text", text: answerText }] },
  finishReason: "stop",
  usage,
};

/** Asks `turns` times for `calls` calls, then answers. It remembers nothing: any number of runs may ask it at the same time. */
export function countingModel(turns: number, calls = 1, before: () => Promise<void> | undefined = () => undefined): Model {
  return {
    provider: "scripted",
    id: "scripted",
    call: async ({ messages }) => {
      await before();
      const turn = (messages.length - 1) / (1 + calls);
      return turn < turns ? asking(turn, calls) : answer;
    },
  };
}

function asking(turn: number, calls: number): ModelResponse {
  const content = Array.from({ length: calls }, (_, position) => ({
    type: "tool-call" as const,
    callId: `call_${position}`,
    name: "add",
    arguments: `{"n":${turn * calls + position}}`,
  }));
  return { message: { role: "assistant", content }, finishReason: "tool-calls", usage };
}

/** An agent as anybody would make it: the default layers, the default store; only the limits let the workload through. */
export const agentOf = (model: Model, more: Partial<AgentOptions> = {}) =>
  createAgent({ ...more, name: "bench", model, tools: { add, ...more.tools }, policy: { limits: { turns: 1_000, toolCalls: 10_000 } } });

/** Runs one after another; a run that does not end as it should is no measurement. */
export const oneByOne = (run: () => Promise<unknown>) => async (runs: number) => {
  for (let count = 0; count < runs; count++) ensureAnswer(await run());
};

export function ensureAnswer(result: unknown): void {
  const output: unknown = typeof result === "object" && result !== null && "output" in result ? result.output : result;
  if (output !== answerText) throw new Error(`A run came to another end: ${JSON.stringify(result)}`);
}

export const firstMessage: Message = { role: "user", content: "go" };
