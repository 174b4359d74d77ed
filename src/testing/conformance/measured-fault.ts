// One fault against one adapter: what a real agent makes of it over real HTTP. Time is the test's own, so no silence is waited for.
import { setImmediate } from "node:timers/promises";
import { createAgent } from "../../agent.ts";
import { reviveError } from "../../core/errors.ts";
import type { Entry } from "../../core/journal.ts";
import type { Model, ModelContext } from "../../core/model.ts";
import type { RunResult } from "../../core/result.ts";
import { tool } from "../../core/tool.ts";
import { autoClock, type FakeClock } from "../fake-clock.ts";
import type { SimulatedApi } from "../simulated-provider/request.ts";
import type { SimulatedProvider, SimulatedRequest } from "../simulated-provider/simulated-provider.ts";
import type { Fault, FaultEnd } from "./fault-table.ts";
import { type AdapterFor, conformanceTool, withAdapter } from "./one-call.ts";

/** Long enough not to fire by themselves on a clock that jumps over back-off only. */
const timeouts = { firstTokenMs: 1_000, idleMs: 2_000, stepMs: 10_000, totalMs: 100_000 };
const backOffMs = 100;

/** What came of a fault, in the words of the table, and in which API; undefined when nothing was asked. */
export interface MeasuredFault extends FaultEnd {
  readonly api: SimulatedApi | undefined;
}

/** Runs a real agent with two attempts against a provider that answers every question so. */
export function measureFault(adapterFor: AdapterFor, fault: Fault, streamed: boolean): Promise<MeasuredFault> {
  const rules = ({ conversation }: SimulatedRequest) =>
    conversation.some(({ role }) => role === "tool") ? { text: "Done." } : fault.reply;
  return withAdapter(adapterFor, { rules }, (model, provider) => measure(model, provider, fault, streamed));
}

async function measure(model: Model, provider: SimulatedProvider, { silent }: Fault, streamed: boolean): Promise<MeasuredFault> {
  const clock = autoClock({ autoMaxMs: backOffMs });
  const afterText = streamed && silent === "after text";
  const agent = createAgent({
    name: "conformance",
    model: silent ? timingOut(model, { provider, clock, afterText, longEnough: patienceFor(streamed, afterText) }) : model,
    clock,
    tools: { [conformanceTool]: findOrder },
    policy: { timeouts },
    resilience: { retry: { attempts: 2, baseMs: 1, maxMs: backOffMs } },
  });
  const runId = "conformance";
  const result = await (streamed ? agent.stream("Where is my order?", { runId }).result : agent.run("Where is my order?", { runId }));
  return { ...endOf(result, await agent.journal(runId), provider.count), api: provider.requests[0]?.api };
}

const findOrder = tool({
  description: "Looks an order up.",
  inputSchema: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
  effect: "read",
  execute: () => "It is late.",
});

const patienceFor = (streamed: boolean, afterText: boolean) => {
  if (!streamed) return timeouts.stepMs;
  return afterText ? timeouts.idleMs : timeouts.firstTokenMs;
};

interface Silence {
  readonly provider: SimulatedProvider;
  readonly clock: FakeClock;
  readonly afterText: boolean;
  /** How long it takes the run to give up. */
  readonly longEnough: number;
}

/** Lets time pass once the silence has begun: the request is there, and so is the text that comes before it. */
function timingOut(model: Model, { provider, clock, afterText, longEnough }: Silence): Model {
  return {
    provider: model.provider,
    id: model.id,
    call: (request, context) => {
      const state = { before: provider.count, heard: !afterText, over: false };
      const begun = () => provider.count > state.before && state.heard;
      const passTime = async () => {
        while (!state.over && !begun()) await setImmediate();
        if (!state.over) await clock.advance(longEnough);
      };
      passTime().catch(() => {}); // advance() refuses negative times only
      const listening = hearing(context, () => {
        state.heard = true;
      });
      return model.call(request, listening).finally(() => {
        state.over = true;
      });
    },
  };
}

function hearing(context: ModelContext, heard: () => void): ModelContext {
  const { onText } = context;
  if (!onText) return context;
  const listen = (text: string) => {
    heard();
    onText(text);
  };
  return { ...context, onText: listen };
}

function endOf(result: RunResult, entries: readonly Entry[], requests: number): FaultEnd {
  const failure = entries.find((entry) => entry.type === "attempt.failed")?.error;
  const refusal = entries.find((entry) => entry.type === "step.done" && entry.kind === "tool" && entry.code !== undefined);
  const code = failure?.code ?? (refusal?.type === "step.done" ? refusal.code : undefined);
  const error = "error" in result ? result.error.code : undefined;
  return {
    requests,
    ...(code ? { code } : {}),
    retryable: failure ? reviveError(failure).retryable : false,
    status: result.status,
    ...(error ? { error } : {}),
  };
}
