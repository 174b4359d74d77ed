// When an adapter has to stop. Invariant: an abort closes the connection and rejects with the signal's reason.
import { equal, rejects } from "node:assert/strict";
import { AgentError } from "../../core/errors.ts";
import type { SimulatedReply } from "../simulated-provider/reply.ts";
import { type AdapterFor, type ConformanceCase, call, question, soon, withAdapter } from "./one-call.ts";

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
      await soon(
        rejects(call(model, question, context), (thrown) => thrown === reason),
        "an abort ends the call",
      );
      if (provider.requests[0]) await soon(provider.requests[0].ended, "an abort closes the connection");
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
