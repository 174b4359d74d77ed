// One call of an adapter against the simulated provider, as the cases of conformance make it. Invariant: what is asked is frozen.
import { AssertionError } from "node:assert/strict";
import type { Model, ModelContext, ModelRequest, ModelResponse } from "../../core/model.ts";
import { frozen } from "../frozen.ts";
import type { SimulatedReply } from "../simulated-provider/reply.ts";
import { type SimulatedProvider, type SimulatedProviderOptions, simulatedProvider } from "../simulated-provider/simulated-provider.ts";

/** Makes the adapter under test, pointed at a simulated provider. */
export type AdapterFor = (provider: SimulatedProvider) => Model;

/** One thing an adapter has to do. `run` rejects when it does not, in words where it can. */
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

export const ways = [
  { streamed: false, way: "as JSON" },
  { streamed: true, way: "as a stream" },
];

/** One call, answered with `reply`; what was asked is frozen, for an adapter changes nothing. */
export async function ask(
  adapterFor: AdapterFor,
  reply: SimulatedReply,
  { request = question, streamed = false, context = {} }: Asking = {},
) {
  return withAdapter(adapterFor, { scenario: [reply] }, async (model, provider) => {
    const response = await call(model, request, { ...(streamed ? { onText: () => {} } : {}), ...context });
    return { response, sent: provider.requests[0] };
  });
}

/** The adapter on a provider of its own, which is closed however the use of it ends. */
export async function withAdapter<T>(
  adapterFor: AdapterFor,
  options: SimulatedProviderOptions,
  use: (model: Model, provider: SimulatedProvider) => Promise<T>,
): Promise<T> {
  const provider = await simulatedProvider(options);
  try {
    return await use(adapterFor(provider), provider);
  } finally {
    await provider.close();
  }
}

/** Rejects when `work` takes so long that it can be taken to never end; a real second or two is for ever on one machine. */
export async function soon<T>(work: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AssertionError({ message: `${what}; it did not in ${patienceMs} ms` })), patienceMs);
  });
  try {
    return await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

const patienceMs = 2_000;

export const call = (model: Model, request: ModelRequest, context: Partial<ModelContext>): Promise<ModelResponse> =>
  model.call(frozen(request), { signal: new AbortController().signal, attempt: 1, now: () => Date.now(), ...context });
