// Opens the account of one pass: which limits cover it, its own and those of the runs above, and what people have made of them meanwhile.
import { AgentError } from "../core/errors.ts";
import type { Entry } from "../core/journal.ts";
import type { Ledger, Limit } from "../core/ledger.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { limitByNow, makeKnown } from "../policy/budgets/budget-records.ts";
import { noLedger, type OpenLedger, openLedger } from "../policy/budgets/ledger.ts";
import { noActs, type OpenActs, openActs } from "../policy/effects/limited-acts.ts";
import type { ByStore } from "../policy/window-hold.ts";
import { systemClock } from "../resilience/system-clock.ts";
import type { OpenedRun } from "./open-run.ts";

/** The account of the run this one is a part of. */
export interface AccountAbove {
  readonly limits: Ledger["limits"];
  /** Told when one of them refuses. */
  readonly refused: (error: AgentError) => void;
}

/** Nothing is reserved or written for a run that is closed, or replayed. Throws `input_invalid` for a run that a budget cannot be told of. */
function openAccount(agent: AgentParts, { run, caps, epoch, entries }: OpenedRun, above: AccountAbove | undefined): OpenLedger {
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
    stopsAtUnknownUsage: agent.budgets.terms.stopsAtUnknownUsage,
    entries,
    holdMs: caps.totalMs + graceMs,
    now: () => agent.clock.now(),
    byStore: byStoreOf(agent),
    raised: ({ key, most }, inWindow) => (records ? limitByNow(records, key, most, inWindow) : Promise.resolve({ most, forgiven: 0 })),
    used: (limit) => records && limit.run === undefined && !agent.knownBudgets.has(limit.key) && remember(agent, limit),
    refusedAbove: (error) => above?.refused(error),
  });
}

/** As with the account. Throws `configuration_invalid` where a run within a run has no store that could count its acts. */
function openLimitedActs(agent: AgentParts, { run, caps, epoch, entries }: OpenedRun): OpenActs {
  if (!agent.effects.any) return noActs;
  const { counters } = agent.store;
  if (!counters)
    throw new AgentError("configuration_invalid", "limits.effects need a store with counters; that of the run above has none.");
  return openActs({
    counters,
    runId: run.id,
    epoch,
    rules: agent.effects.limitsOf(run),
    entries,
    holdMs: caps.totalMs + graceMs,
    now: () => agent.clock.now(),
    byStore: byStoreOf(agent),
  });
}

/** A store goes by the machine's clock or by the agent's, and neither may forget too early. */
const byStoreOf =
  ({ clock }: AgentParts): ByStore =>
  (until) =>
    Math.max(until, until - clock.now() + systemClock.now());

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

/** All that one pass keeps account of, and what is done with it when it opens and closes. */
export interface Accounts {
  readonly ledger: OpenLedger;
  readonly acts: OpenActs;
  /** Follows an entry that has become durable. */
  follow(entry: Entry): void;
  /** Brings what earlier passes have left in line with the journal. */
  recover(entries: readonly Entry[]): Promise<void>;
  /** Something is limited in this pass. */
  readonly any: boolean;
  /** Something is known that the journal does not hold for good yet. */
  readonly owes: boolean;
  /** Waits until everything that the journal says is told to the store. */
  settled(): Promise<void>;
  /** The pass is over, and its end written. */
  close(): Promise<void>;
}

/** Of a run that is closed, or replayed. */
export const noAccounts = (): Accounts => {
  const ledger = noLedger();
  return {
    ledger,
    acts: noActs,
    follow: (entry) => ledger.follow(entry),
    recover: () => Promise.resolve(),
    any: false,
    owes: false,
    settled: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
};

export function openAccounts(agent: AgentParts, opened: OpenedRun, above: AccountAbove | undefined): Accounts {
  const { run, caps } = opened;
  const ledger = openAccount(agent, opened, above);
  const acts = openLimitedActs(agent, opened);
  const hasOwn = (caps.budget !== undefined && ledger.limits.length > 0) || agent.effects.perRun;
  let hasEnded = false;
  const settled = async () => {
    await ledger.settled();
    await acts.settled();
  };
  return {
    ledger,
    acts,
    follow: (entry) => {
      ledger.follow(entry);
      acts.follow(entry);
      hasEnded ||= entry.type === "run.ended";
    },
    recover: async (entries) => {
      await ledger.recover(entries);
      await acts.recover(entries);
    },
    any: ledger.limits.length > 0 || agent.effects.any,
    get owes() {
      return ledger.owes;
    },
    settled,
    close: async () => {
      await settled();
      // Once a run has ended, and the journal says so for good, nobody asks for its own limits any more.
      if (hasEnded && hasOwn) await agent.store.counters?.forget(run.id).catch(() => {});
    },
  };
}
