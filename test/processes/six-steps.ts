// The agent that every worker runs: two reads at once, two equal payments at once, a mail, an answer. Invariant: the same run asks for the
// same steps in whatever process it is.
import { setTimeout } from "node:timers/promises";
import { type ActOutcome, type AgentOptions, createAgent, type Model, type Store, tool } from "airworthy";
import { type ScriptedReply, scriptedModel } from "airworthy/testing";
import { z } from "zod";
import type { AskedAct } from "./world-process.ts";

export interface World {
  readonly url: string;
  /** Which life of which worker this is. */
  readonly worker: string;
}

export const agentName = "chaos";
export const inputOf = (runId: string) => `Settle ${runId}.`;

/** Steps of a run that goes well, by tool; the model is asked four times. */
export const stepsOfRun = { models: 4, reads: 2, pays: 2, mails: 1 } as const;

const call = (name: string, order: number) => ({ name, arguments: { order } });
const replies: readonly ScriptedReply[] = [
  { text: "One moment.", calls: [call("look", 1), call("look", 2)] },
  { calls: [call("pay", 1), call("pay", 1)] },
  { calls: [call("mail", 1)] },
  "Settled.",
];

/** Takes some time, as models do: a crash finds some runs in the middle of a call. */
function turnModel(chance: () => number): Model {
  return scriptedModel(
    async ({ messages }) => {
      await setTimeout(chance() * 8);
      return replies[messages.filter(({ role }) => role === "assistant").length] ?? "no such turn";
    },
    { record: false },
  );
}

function toolsOf({ url, worker }: World) {
  const ask = async (path: string, body: string, signal: AbortSignal) => {
    const response = await fetch(`${url}/${path}`, { method: "POST", body, signal });
    return response.text();
  };
  const act = (asked: Omit<AskedAct, "worker">, signal: AbortSignal) => ask("act", JSON.stringify({ ...asked, worker }), signal);
  const inputSchema = z.object({ order: z.number() });
  return {
    look: tool({
      description: "Looks an order up.",
      inputSchema,
      effect: "read",
      execute: (_, { run, idempotencyKey: key, signal }) => act({ act: "read", run: run.id, key }, signal),
    }),
    pay: tool({
      description: "Pays for an order.",
      inputSchema,
      effect: "pay",
      repeat: "with-same-key",
      execute: (_, { run, idempotencyKey: key, signal }) => act({ act: "pay", run: run.id, key }, signal),
    }),
    mail: tool({
      description: "Mails the customer.",
      inputSchema,
      effect: "send",
      execute: (_, { run, idempotencyKey: key, signal }) => act({ act: "mail", run: run.id, key }, signal),
      reconcile: async (_, { idempotencyKey, signal }) => outcomeOf(await ask("known", idempotencyKey, signal)),
    }),
  };
}

function outcomeOf(known: string): ActOutcome<string> {
  if (known === "done") return { status: "done", output: "done" };
  return { status: known === "none" ? "not-done" : "unknown" };
}

export function settlingAgent(store: Store, world: World, chance: () => number, more: Partial<AgentOptions> = {}) {
  return createAgent({
    name: agentName,
    version: "1",
    model: turnModel(chance),
    tools: toolsOf(world),
    store,
    // Many crashes make a run long; this is about crashes, not about deadlines.
    policy: { timeouts: { totalMs: 600_000 } },
    ...more,
  });
}
