// The loop anybody would write by hand: asks the model, parses and validates arguments, keeps the conversation. No more than that.
import { callsOf, type Message, type Model, type ModelContext, type ToolCall, textOf } from "airworthy";
import { addOne, firstMessage, inputSchema } from "./scripted-replies.ts";

const specs = [{ name: "add", description: "Adds one.", inputSchema: { type: "object" } }];

type Execute = (input: { readonly n: number }) => unknown;

const context: ModelContext = { signal: new AbortController().signal, attempt: 1, now: () => 0 };

/** One conversation, to the model's answer. */
export async function loopByHand(model: Model, execute: Execute = addOne): Promise<string> {
  const messages: Message[] = [firstMessage];
  for (;;) {
    const { message } = await model.call({ messages, tools: specs, settings: {} }, context);
    messages.push(message);
    const calls = callsOf(message);
    if (calls.length === 0) return textOf(message);
    messages.push(...(await Promise.all(calls.map((call) => resultOf(call, execute)))));
  }
}

async function resultOf({ callId, name, arguments: text }: ToolCall, execute: Execute): Promise<Message> {
  const output = await execute(inputSchema.parse(JSON.parse(text)));
  return { role: "tool", callId, name, content: JSON.stringify(output) };
}
