// What an adapter has to send, and when it has to stop. Invariant: an abort closes the connection and rejects with the signal's reason.
import { deepEqual, equal, rejects } from "node:assert/strict";
import { AgentError } from "../../core/errors.ts";
import { callsOf } from "../../core/message.ts";
import type { SimulatedReply } from "../simulated-provider/reply.ts";
import { type AdapterFor, ask, type ConformanceCase, call, conformanceTool, question, twoCalls, withAdapter } from "./one-call.ts";

const lookUp = { name: conformanceTool, description: "Looks an order up.", inputSchema: { type: "object", properties: {} } };

export function requestCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return [
    {
      name: "sends the whole conversation and the tools",
      run: async () => {
        const first = await ask(adapterFor, { reasoning: "Hm.", text: "Let me look.", calls: twoCalls });
        const calls = callsOf(first.response.message);
        const messages = [
          { role: "system" as const, content: "Be brief." },
          ...question.messages,
          first.response.message,
          ...calls.map(({ callId, name }, position) => ({ role: "tool" as const, callId, name, content: `result ${position}` })),
        ];
        const { sent } = await ask(adapterFor, { text: "Done." }, { request: { messages, tools: [lookUp], settings: {} } });
        deepEqual(
          sent?.conversation.map(({ role, text }) => [role, text]),
          [
            ["system", "Be brief."],
            ["user", "Where is my order?"],
            ["assistant", "Let me look."],
            ["tool", "result 0"],
            ["tool", "result 1"],
          ],
        );
        equal(sent?.body.tools?.length, 1);
      },
    },
    {
      name: "takes an offer without tools or settings",
      run: () => withAdapter(adapterFor, { scenario: [] }, (model) => Promise.resolve(model.check?.({ tools: [], settings: {} }))),
    },
  ];
}

export function abortCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  const reason = new AgentError("halted", "Somebody halted the run.");
  const abortedBy = (reply: SimulatedReply, streamed: boolean, when: "before" | "waiting" | "text") => {
    const controller = new AbortController();
    const rules = () => {
      if (when === "waiting") controller.abort(reason);
      return reply;
    };
    if (when === "before") controller.abort(reason);
    const onText = () => {
      if (when === "text") controller.abort(reason);
    };
    const context = { signal: controller.signal, ...(streamed ? { onText } : {}) };
    return withAdapter(adapterFor, { rules }, async (model, provider) => {
      await rejects(call(model, question, context), (thrown) => thrown === reason);
      await provider.requests[0]?.ended;
      equal(provider.count, when === "before" ? 0 : 1);
      if (when !== "before") equal(provider.requests[0]?.disconnected, true, "the connection is closed");
    });
  };
  return [
    { name: "an abort before the call sends nothing", run: () => abortedBy({ text: "x" }, false, "before") },
    {
      name: "an abort while nothing is answered closes the connection, as JSON",
      run: () => abortedBy({ fault: "hang" }, false, "waiting"),
    },
    {
      name: "an abort while nothing is answered closes the connection, as a stream",
      run: () => abortedBy({ fault: "hang" }, true, "waiting"),
    },
    {
      name: "an abort in the middle of the text closes the connection",
      run: () => abortedBy({ fault: "stall", text: "Hello" }, true, "text"),
    },
  ];
}
