// One call of an adapter against the simulated provider, as the cases of conformance make it. Invariant: what is asked is frozen.
import type { Model, ModelContext, ModelRequest, ModelResponse } from "../../core/model.ts";
import type { SimulatedReply } from "../simulated-provider/reply.ts";
import { type SimulatedProvider, simulatedProvider } from "../simulated-provider/simulated-provider.ts";

/** Makes the adapter under test, pointed at a simulated provider. */
export type AdapterFor = (provider: SimulatedProvider) => Model;

/** One thing an adapter has to do. `run` rejects with an `AssertionError` when it does not. */
export interface ConformanceCase {
  readonly name: string;
  run(): Promise<void>;
}

/** A call of this tool is what the faulty calls ask for. */
export const conformanceTool = "findOrder";

export const twoCalls = [
  { name: conformanceTool, arguments: { id: "4711" } },
  { name: conformanceTool, arguments: { id: "4712", note: "ü 🚚" } },
];
export const question: ModelRequest = { messages: [{ role: "user", content: "Where is my order?" }], tools: [], settings: {} };
interface Asking {
  readonly request?: ModelRequest;
  readonly streamed?: boolean;
  readonly context?: Partial<ModelContext>;
}

/** One call, answered with `reply`; what was asked is frozen, for an adapter changes nothing. */
export async function ask(
  adapterFor: AdapterFor,
  reply: SimulatedReply,
  { request = question, streamed = false, context = {} }: Asking = {},
) {
  await using provider = await simulatedProvider({ scenario: [reply] });
  const response = await call(adapterFor(provider), request, { ...(streamed ? { onText: () => {} } : {}), ...context });
  return { response, sent: provider.requests[0] };
}

export const call = (model: Model, request: ModelRequest, context: Partial<ModelContext>): Promise<ModelResponse> =>
  model.call(frozen(request), { signal: new AbortController().signal, attempt: 1, now: () => Date.now(), ...context });

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}
