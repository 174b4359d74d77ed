// The agent that spends one budget with all others of its kind: calls of many sizes, with and without a tool that costs, by the run's id.
import { createAgent, type ModelPrice, route, type Store, tool } from "airworthy";
import { openai } from "airworthy/openai";
import { z } from "zod";
import { seeded } from "./seeded.ts";

/** Where the money goes: the provider, and the till that tools pay at. */
export interface Spending {
  readonly provider: string;
  readonly till: string;
}

export const tenant = "acme";
/** The counter that all share. */
export const budgetKey = `usd/tenant/${tenant}/ever/ever`;

/** US dollars per million tokens: whole nano-dollars per token, so that nobody rounds. */
export const prices: Readonly<Record<string, ModelPrice>> = {
  small: { input: 1, output: 4 },
  middle: { input: 2, output: 8 },
  large: { input: 4, output: 16 },
};
const longest: Readonly<Record<string, number>> = { small: 200, middle: 400, large: 800 };
const toolUsd = 0.0005;
const toolNano = 500_000;
const names = Object.keys(prices);

/** A number of the run's own, the same in every process. */
function numberOf(runId: string): number {
  let number = 0;
  for (let at = 0; at < runId.length; at++) number = (Math.imul(number, 31) + runId.charCodeAt(at)) >>> 0;
  return number;
}

const words = "order refund please where is the parcel that I sent 4711 days ago, and why does nobody answer me? Größe ändern 注文".split(
  " ",
);

/** From a few words to some pages. */
export function inputOf(runId: string): string {
  const chance = seeded(numberOf(runId));
  const length = Math.floor(5 + chance() ** 3 * 900);
  return Array.from({ length }, () => words[Math.floor(chance() * words.length)]).join(" ");
}

/** Whether somebody watches the run. */
export const isWatched = (runId: string) => numberOf(runId) % 3 === 0;

export function spendingAgent(store: Store, { provider, till }: Spending, capUsd: number, leaseMs: number) {
  const tierOf = (id: string) => openai(id, { apiKey: "k", baseURL: provider, settings: { maxOutputTokens: longest[id] ?? 1 } });
  return createAgent({
    name: "spender",
    model: route({
      tiers: Object.fromEntries(names.map((name) => [name, tierOf(name)])),
      choose: ({ run, turn }) => names[(numberOf(run.id) + turn) % names.length] ?? "small",
    }),
    tools: {
      buy: tool({
        description: "Buys something small.",
        inputSchema: z.object({}),
        effect: "pay",
        repeat: "with-same-key",
        cost: toolUsd,
        execute: async (_, { signal }) => {
          await fetch(till, { method: "POST", body: String(toolNano), signal });
          return "bought";
        },
      }),
    },
    prices,
    store,
    leaseMs,
    policy: { budget: { tenant: { usd: capUsd }, minOutputTokens: 32 }, timeouts: { stepMs: leaseMs * 1.5, totalMs: 600_000 } },
    resilience: { retry: { attempts: 3, baseMs: 5, maxMs: 20 }, breaker: { failures: 1_000_000 } },
  });
}
