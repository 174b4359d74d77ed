// The account of one pass over a run: reserves before an attempt, settles when the journal says what it has cost. The store adds up for all.
import type { Charge, Reserved } from "../../core/cost.ts";
import { AgentError, toAgentError } from "../../core/errors.ts";
import type { Entry } from "../../core/journal.ts";
import type { AttemptId, Ledger, Limit, WorstCase } from "../../core/ledger.ts";
import type { NanoUsd } from "../../core/price.ts";
import type { CounterState, Counters, Refused } from "../../core/store.ts";
import type { ByStore } from "../window-hold.ts";
import { shorterOutput, withOutput } from "./affordable.ts";
import { type AskedHold, distinct, holdsOf, type KeptBack, withKeptBack } from "./budget-holds.ts";
import type { LimitByNow } from "./budget-records.ts";
import { createWarnings, nearlyUsedUp, type Raised, sumOf, type Warnings } from "./budget-warnings.ts";
import { exceeded } from "./exceeded.ts";
import { createSettling, type Settling } from "./settling.ts";

/** What a pass needs to keep account. */
export interface LedgerParts {
  readonly counters: Counters;
  readonly runId: string;
  /** Of the claim the pass has: what an earlier owner holds is told apart. */
  readonly epoch: number;
  /** This agent's. */
  readonly own: readonly Limit[];
  /** Those of the runs above. */
  readonly above: readonly Limit[];
  readonly nearAt: number;
  /** Nothing more is paid for once a model has not said what its answer used. */
  readonly stopsAtUnknownUsage: boolean;
  /** What the run has recorded so far. */
  readonly entries: readonly Entry[];
  /** How long a hold stands when nobody is heard of any more; ms. */
  readonly holdMs: number;
  readonly now: () => number;
  readonly byStore: ByStore;
  /** What a limit is by now, raised or granted; asked only when it would be passed. */
  readonly raised: Raised;
  /** Told when a limit is used, or refuses. */
  readonly used: (limit: Limit) => void;
  /** Told when a limit of the runs above refuses. */
  readonly refusedAbove: (error: AgentError) => void;
}

export interface OpenLedger extends Ledger {
  /** Brings what earlier passes have left open in line with the journal. */
  recover(entries: readonly Entry[]): Promise<void>;
  /** Waits until everything is told to the store. */
  settled(): Promise<void>;
}

export function openLedger(parts: LedgerParts): OpenLedger {
  const { counters, own, above, now } = parts;
  const limits = distinct([...own, ...above]);
  const settling = createSettling(counters, parts.runId, parts.epoch);
  const warnings = createWarnings(own, parts.nearAt, parts.raised);
  const charges = createCharges();
  let keptBack: KeptBack;
  let isUnknown = parts.stopsAtUnknownUsage && parts.entries.some(hidesUsage);
  return {
    limits,
    get owes() {
      return charges.unwritten > 0;
    },
    reserve: async (attempt, worst) => {
      try {
        // What this run has used by now is known before it asks for more.
        await settling.done();
        if (isUnknown && !worst.isWrapUp) return unknownUsage();
        return await reserve({ parts, limits, settling, warnings, keptBack: worst.isWrapUp ? undefined : keptBack }, attempt, worst);
      } catch (thrown) {
        return toAgentError(thrown, "journal_unavailable", "The budgets could not be read or written; nothing was started.");
      }
    },
    release: settling.release,
    charged: charges.keep,
    takeCharge: charges.take,
    follow: (entry) => {
      charges.written(entry);
      isUnknown ||= parts.stopsAtUnknownUsage && hidesUsage(entry);
      settling.follow(entry);
    },
    keepBack: (costs) => {
      keptBack = { run: parts.runId, costs };
    },
    limitsWithin: () => withKeptBack(limits, keptBack),
    takeWarnings: warnings.take,
    near: () => nearlyUsedUp(counters, own, { share: parts.nearAt, at: now(), raised: parts.raised }).catch(() => []),
    recover: (entries) => settling.recover(entries),
    settled: settling.done,
  };
}

/** A model has answered, and nobody said what that used. */
const hidesUsage = (entry: Entry): boolean =>
  entry.type === "step.done" && entry.kind === "model" && entry.outcome.ok && entry.cost?.basis === "reserved";

const unknownUsage = () =>
  new AgentError("usage_unknown", "A model has not said what its answer used, and the budget does not go on without that.");

/** Of a run that no limit covers: only keeps what things have cost until that is written. */
export function noLedger(): OpenLedger {
  const charges = createCharges();
  return {
    limits: [],
    limitsWithin: () => [],
    owes: false,
    reserve: (_, worst) => Promise.resolve(worst),
    release: () => {},
    charged: charges.keep,
    takeCharge: charges.take,
    follow: charges.written,
    keepBack: () => {},
    takeWarnings: () => [],
    near: () => Promise.resolve([]),
    recover: () => Promise.resolve(),
    settled: () => Promise.resolve(),
  };
}

/** What attempts have cost, from when that is known until it is written for good. */
function createCharges() {
  const kept = new Map<string, Charge>();
  const taken = new Set<string>();
  const sums = new Map<string, NanoUsd>();
  return {
    get unwritten() {
      return taken.size;
    },
    keep: (key: string, charge: Charge) => {
      kept.set(key, charge);
      const sum = (sums.get(key) ?? 0) + (charge.nanoUsd ?? 0);
      sums.set(key, sum);
      return sum;
    },
    take: (key: string) => {
      const charge = kept.get(key);
      if (kept.delete(key)) taken.add(key);
      return charge;
    },
    written: (entry: Entry) => {
      if (!("cost" in entry) || !entry.cost) return;
      taken.delete(entry.key);
      if (entry.type !== "attempt.failed") sums.delete(entry.key);
    },
  };
}

interface Reserving {
  readonly parts: LedgerParts;
  readonly limits: readonly Limit[];
  readonly settling: Settling;
  readonly warnings: Warnings;
  readonly keptBack: KeptBack;
}

/** Asks for less and less until it is granted, or nothing that is of any use is left to ask for. */
async function reserve(reserving: Reserving, attempt: AttemptId, worst: WorstCase): Promise<Reserved | AgentError> {
  const { parts, limits, settling, warnings, keptBack } = reserving;
  const raises = new Map<string, LimitByNow>();
  let output = worst.output?.most;
  for (;;) {
    const amounts = withOutput(worst, output);
    const at = parts.now();
    const holds = holdsOf(limits, amounts, at, { keptBack, raises, byStore: parts.byStore });
    const wanted = [...holds.values()].map(({ hold }) => hold);
    const answer = await parts.counters.reserve(settling.idOf(attempt), wanted, parts.holdMs);
    if (answer.granted) {
      settling.held(attempt, [...holds.keys()]);
      for (const { limit } of holds.values()) parts.used(limit);
      await warnings.look(holds, answer.standing).catch(() => {}); // a warning that is missed stops nobody
      return output === undefined ? amounts : { ...amounts, maxOutputTokens: output };
    }
    const refused = holds.get(answer.refusedBy);
    if (!refused) return new AgentError("internal_error", "The store refused what it was not asked for.");
    const byNow = await parts.raised(refused.limit, [answer.refusedBy, ...(refused.hold.also ?? [])]);
    if (byNow.most + byNow.forgiven > refused.byNow.most + refused.byNow.forgiven) raises.set(answer.refusedBy, byNow);
    else {
      const shorter = shorterOutput(worst, output, refused, answer);
      if (shorter === undefined) return refuse(parts, refused, answer, at);
      output = shorter;
    }
  }
}

async function refuse(parts: LedgerParts, asked: AskedHold, answer: Refused, at: number): Promise<AgentError> {
  const { limit, byNow, hold } = asked;
  // One that never granted anything has to be known too: else nobody could raise it.
  parts.used(limit);
  const { used, held } = await standingOf(parts, asked, answer);
  const keptBack = byNow.most + byNow.forgiven - hold.limit;
  const standing = { used: Math.max(0, used - byNow.forgiven), held: Math.min(held + keptBack, Math.max(held, byNow.most - used)) };
  const error = exceeded(limit, byNow.most, standing, hold.amount, limit.at(at).resetsAt);
  if (!parts.own.some(({ key }) => key === limit.key)) parts.refusedAbove(error);
  return error;
}

/** A refusal does not tell apart what is held and what has run out, and so counts as used; whoever reads it wants to know. */
async function standingOf({ counters }: LedgerParts, { hold: { key, also = [] } }: AskedHold, answer: Refused): Promise<CounterState> {
  try {
    return sumOf(await counters.read([key, ...also]));
  } catch {
    return answer;
  }
}
