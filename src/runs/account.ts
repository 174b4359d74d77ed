// Opens the account of one pass: which limits cover it, its own and those of the runs above, and what people have made of them meanwhile.
import type { AgentError } from "../core/errors.ts";
import type { Entry } from "../core/journal.ts";
import type { Ledger, Limit } from "../core/ledger.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { limitByNow, makeKnown } from "../policy/budget-records.ts";
import { noLedger, type OpenLedger, openLedger } from "../policy/ledger.ts";
import { systemClock } from "../resilience/system-clock.ts";
import type { OpenedRun } from "./open-run.ts";

/** The account of the run this one is a part of. */
export interface AccountAbove {
  readonly limits: Ledger["limits"];
  /** Told when one of them refuses. */
  readonly refused: (error: AgentError) => void;
}

/** Nothing is reserved or written for a run that is closed, or replayed. Throws `input_invalid` for a run that a budget cannot be told of. */
export function openAccount(agent: AgentParts, { run, caps, epoch }: OpenedRun, above: AccountAbove | undefined): OpenLedger {
  const { counters, records } = agent.store;
  const own = agent.budgets.limitsOf(run, caps.budget);
  const limits = above?.limits ?? [];
  if (!counters || own.length + limits.length === 0) return noLedger();
  return openLedger({
    counters,
    runId: run.id,
    epoch,
    own,
    above: limits,
    nearAt: agent.budgets.terms.nearAt,
    holdMs: caps.totalMs + graceMs,
    now: () => agent.clock.now(),
    // A store goes by the machine's clock or by the agent's, and neither may forget too early.
    byStore: (until) => Math.max(until, until - agent.clock.now() + systemClock.now()),
    raised: ({ key, most }, inWindow) => (records ? limitByNow(records, key, most, inWindow) : Promise.resolve({ most, forgiven: 0 })),
    used: (limit) => records && limit.run === undefined && !agent.knownBudgets.has(limit.key) && remember(agent, limit),
    refusedAbove: (error) => above?.refused(error),
  });
}

/** Longer than a pass may take to write down what has come of an attempt. */
const graceMs = 60_000;

/** So many limits are remembered as known to the store; the others are looked up again. */
const mostKnown = 10_000;

/** For people who look at budgets; nothing waits for it, and without it only the list is shorter. */
function remember({ knownBudgets, store: { records } }: AgentParts, limit: Limit) {
  if (!records) return;
  if (knownBudgets.size >= mostKnown) knownBudgets.clear();
  knownBudgets.add(limit.key);
  makeKnown(records, limit).catch(() => knownBudgets.delete(limit.key));
}

/** Once a run has ended nobody asks for its own limits any more. */
export async function closeAccount(
  agent: AgentParts,
  { run, caps }: OpenedRun,
  ledger: OpenLedger,
  closed: Entry | undefined,
): Promise<void> {
  await ledger.settled();
  if (closed?.type === "run.ended" && caps.budget && ledger.limits.length > 0) await agent.store.counters?.forget(run.id).catch(() => {});
}
