// The account of one pass over a run: reserves before an attempt, settles when the journal says what it has cost. The store adds up for all.
import { AgentError, toAgentError } from "../core/errors.ts";
import type { Entry } from "../core/journal.ts";
import type { AttemptId, Charge, Cost, Ledger, Limit, Measure, Reserved, Standing, WorstCase } from "../core/ledger.ts";
import type { Counters, Hold, OpenHold, Refused } from "../core/store.ts";
import { shorterOutput, withOutput } from "./affordable.ts";
import { measureOf, windowKey } from "./budgets.ts";
import { chargeKey, chargesIn } from "./charges.ts";
import { exceeded } from "./exceeded.ts";

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
  /** How long a hold stands when nobody is heard of any more; ms. */
  readonly holdMs: number;
  readonly now: () => number;
  /** What a limit is by now, raised or granted; asked only when it would be passed. */
  readonly raised: (limit: Limit, key: string) => Promise<number>;
  /** Told when a limit is used in a window. */
  readonly used: (limit: Limit, key: string) => void;
  /** Told when a limit of the runs above refuses. */
  readonly refusedAbove: (error: AgentError) => void;
}

export interface OpenLedger extends Ledger {
  /** Brings what earlier passes have left open in line with the journal. */
  recover(entries: readonly Entry[]): Promise<void>;
  /** Waits until everything is told to the store. */
  settled(): Promise<void>;
}

/** Of a run that no limit covers: only keeps what things have cost until that is written. */
export function noLedger(): OpenLedger {
  const charges = new Map<string, Charge>();
  return {
    limits: [],
    owes: false,
    reserve: (_, worst) => Promise.resolve(worst),
    release: () => {},
    charged: (key, charge) => void charges.set(key, charge),
    takeCharge: (key) => {
      const charge = charges.get(key);
      charges.delete(key);
      return charge;
    },
    follow: () => {},
    keepBack: () => {},
    takeWarnings: () => [],
    near: () => Promise.resolve([]),
    recover: () => Promise.resolve(),
    settled: () => Promise.resolve(),
  };
}

interface Held {
  readonly id: string;
  /** By measure, the counters it is held on. */
  readonly keys: readonly string[];
}

export function openLedger(parts: LedgerParts): OpenLedger {
  const { counters, own, above, now } = parts;
  const limits = distinct([...own, ...above]);
  const prefix = `cost/${encodeURIComponent(parts.runId)}/`;
  const idOf = ({ key, attempt }: AttemptId) => `${prefix}${parts.epoch}/${attempt}/${key}`;
  const held = new Map<string, Held>();
  const charges = new Map<string, Charge>();
  const taken = new Set<string>();
  const telling = createTelling();
  const warnings = createWarnings(parts);
  let keptBack: Cost = { tokens: 0 };

  const settle = (id: string, used: Readonly<Record<string, number>>) => telling.add(() => counters.settle(id, used));

  const reserve = async (attempt: AttemptId, worst: WorstCase): Promise<Reserved | AgentError> => {
    // What this run has used by now is known before it asks for more.
    await telling.done();
    let output = worst.output?.most;
    const raises = new Map<string, number>();
    for (;;) {
      const amounts = withOutput(worst, output);
      const at = now();
      const holds = holdsOf(limits, amounts, at, { keptBack: worst.isWrapUp ? undefined : keptBack, raises });
      const answer = await counters.reserve(
        idOf(attempt),
        [...holds.values()].map(({ hold }) => hold),
        parts.holdMs,
      );
      if (answer.granted) {
        held.set(chargeKey(attempt), { id: idOf(attempt), keys: [...holds.keys()] });
        for (const [key, { limit }] of holds) parts.used(limit, key);
        warnings.look(holds, answer.standing);
        return output === undefined ? amounts : { ...amounts, maxOutputTokens: output };
      }
      const refused = holds.get(answer.refusedBy);
      if (!refused) return new AgentError("internal_error", "The store refused what it was not asked for.");
      const most = await parts.raised(refused.limit, answer.refusedBy);
      if (most > refused.most) {
        raises.set(answer.refusedBy, most);
        continue;
      }
      const shorter = shorterOutput(worst, output, refused, answer);
      if (shorter === undefined) return refuse(refused, answer, at);
      output = shorter;
    }
  };

  const refuse = (asked: AskedHold, answer: Refused, at: number) => {
    const error = exceeded(asked.limit, asked.most, answer, asked.hold.amount, asked.limit.at(at).resetsAt);
    if (!own.some(({ key }) => key === asked.limit.key)) parts.refusedAbove(error);
    return error;
  };

  const follow = (entry: Entry) => {
    if (entry.type !== "attempt.failed" && entry.type !== "step.done" && entry.type !== "step.abandoned") return;
    if (!entry.cost) return;
    taken.delete(entry.key);
    const attempt = chargeKey({ key: entry.key, attempt: entry.type === "attempt.failed" ? entry.attempt : entry.attempts });
    const hold = held.get(attempt);
    if (!hold) return;
    held.delete(attempt);
    settle(hold.id, usedOf(hold.keys, entry.cost));
  };

  return {
    limits,
    get owes() {
      return taken.size > 0;
    },
    reserve: async (attempt, worst) => {
      try {
        return await reserve(attempt, worst);
      } catch (thrown) {
        return toAgentError(thrown, "journal_unavailable", "The budgets could not be read or written; nothing was started.");
      }
    },
    release: (attempt) => {
      const hold = held.get(chargeKey(attempt));
      held.delete(chargeKey(attempt));
      if (hold) settle(hold.id, {});
    },
    charged: (key, charge) => void charges.set(key, charge),
    takeCharge: (key) => {
      const charge = charges.get(key);
      if (charges.delete(key)) taken.add(key);
      return charge;
    },
    follow,
    keepBack: (cost) => {
      keptBack = cost;
    },
    takeWarnings: warnings.take,
    near: () => nearly(parts),
    recover: async (entries) => {
      if (limits.length === 0) return;
      const known = chargesIn(entries);
      for (const [id, holds] of byId(await counters.open(prefix))) {
        await counters.settle(id, usedBy(known, id.slice(prefix.length), holds));
      }
    },
    settled: telling.done,
  };
}

/** A hold, with the limit it is under and what that is by now. */
interface AskedHold {
  readonly hold: Hold;
  readonly limit: Limit;
  readonly most: number;
}

interface HoldTerms {
  readonly keptBack: Cost | undefined;
  readonly raises: ReadonlyMap<string, number>;
}

/** One hold for every counter; where two limits share one, the tighter holds. */
function holdsOf(limits: readonly Limit[], cost: Cost, at: number, { keptBack, raises }: HoldTerms): ReadonlyMap<string, AskedHold> {
  const holds = new Map<string, AskedHold>();
  for (const limit of limits) {
    const { name, also, until } = limit.at(at);
    const key = windowKey(limit.key, name);
    const most = raises.get(key) ?? limit.most;
    const back = limit.run !== undefined && keptBack ? amountOf(limit.measure, keptBack, 1) : 0;
    const hold: Hold = {
      key,
      amount: amountOf(limit.measure, cost, 1),
      limit: most - back,
      ...(also.length > 0 ? { also: also.map((part) => windowKey(limit.key, part)) } : {}),
      ...(until === undefined ? {} : { until }),
      ...(limit.run === undefined ? {} : { run: limit.run }),
    };
    holds.set(key, { hold, limit, most });
  }
  return holds;
}

/** Of limits on the same key, the tightest. */
function distinct(limits: readonly Limit[]): readonly Limit[] {
  const byKey = new Map<string, Limit>();
  for (const limit of limits) {
    const other = byKey.get(limit.key);
    if (!other || limit.most < other.most) byKey.set(limit.key, limit);
  }
  return [...byKey.values()];
}

/** What has no price in money cannot be held against a limit in money. */
function amountOf(measure: Measure, { nanoUsd, tokens }: Cost, calls: number): number {
  if (measure === "calls") return calls;
  if (measure === "tokens") return tokens;
  if (nanoUsd === undefined) throw new AgentError("configuration_invalid", "A limit in US dollars covers something that has no price.");
  return nanoUsd;
}

/** Whatever is not known by then counts as nothing known: a charge without money leaves the money as it was held. */
const usedOf = (keys: readonly string[], charge: Cost): Readonly<Record<string, number>> =>
  Object.fromEntries(
    keys.map((key) => [key, measureOf(key) === "calls" ? 1 : measureOf(key) === "tokens" ? charge.tokens : (charge.nanoUsd ?? 0)]),
  );

function byId(holds: readonly OpenHold[]): ReadonlyMap<string, readonly OpenHold[]> {
  return Map.groupBy(holds, ({ id }) => id);
}

/** Begun and never heard of again, it counts as all that was held; never begun, as nothing. */
function usedBy(known: ReturnType<typeof chargesIn>, attemptOfEpoch: string, holds: readonly OpenHold[]): Readonly<Record<string, number>> {
  const attempt = attemptOfEpoch.slice(attemptOfEpoch.indexOf("/") + 1);
  const charge = known.get(attempt);
  if (charge === undefined) return {};
  if (charge === "open") return Object.fromEntries(holds.map(({ key, amount }) => [key, amount]));
  return usedOf(
    holds.map(({ key }) => key),
    charge,
  );
}

/** Things told to the store one after the other; one that fails leaves its hold, which counts as used. */
function createTelling() {
  let last: Promise<void> | undefined;
  return {
    add: (tell: () => Promise<void>) => {
      const told: Promise<void> = (last ?? Promise.resolve())
        .then(tell)
        .catch(() => {})
        .then(() => {
          if (last === told) last = undefined;
        });
      last = told;
    },
    done: async () => {
      await last;
    },
  };
}

function createWarnings({ own, nearAt }: LedgerParts) {
  const told = new Set<string>();
  let fresh: Standing[] = [];
  return {
    look: (holds: ReadonlyMap<string, AskedHold>, standing: Readonly<Record<string, { readonly used: number; readonly held: number }>>) => {
      for (const [key, { hold, limit, most }] of holds) {
        const at = standing[key];
        if (!at || told.has(key) || !own.includes(limit)) continue;
        const reserved = Math.max(0, at.held - hold.amount);
        if (at.used + reserved < most * nearAt) continue;
        told.add(key);
        fresh.push({ limit: { ...limit, most }, spent: at.used, reserved });
      }
    },
    take: () => {
      const taken = fresh;
      if (taken.length > 0) fresh = [];
      return taken;
    },
  };
}

async function nearly({ own, counters, nearAt, now }: LedgerParts): Promise<readonly Standing[]> {
  const at = now();
  const spans = own.map((limit) => {
    const { name, also } = limit.at(at);
    return { limit, keys: [name, ...also].map((part) => windowKey(limit.key, part)) };
  });
  try {
    const states = await counters.read(spans.flatMap(({ keys }) => keys));
    let next = 0;
    return spans.flatMap(({ limit, keys }) => {
      const mine = states.slice(next, (next += keys.length));
      const spent = mine.reduce((sum, { used }) => sum + used, 0);
      const reserved = mine.reduce((sum, { held }) => sum + held, 0);
      return spent + reserved >= limit.most * nearAt ? [{ limit, spent, reserved }] : [];
    });
  } catch {
    return [];
  }
}
