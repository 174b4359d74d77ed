// Counters whose busy keys are held ahead, a slice at a time, so that a row many processes want is written once for a slice and not once for a
// call. Invariant: all that is held or used here is held or used in the store, which alone looks at limits.
import type { Clock } from "../../core/clock.ts";
import { byIdAndKey, heldByKey, type KeyHold } from "../../core/holds.ts";
import type { CounterState, Counters, Granted, Hold, OpenHold, Refused } from "../../core/store.ts";
import type { Share, SliceTerms } from "./slice.ts";
import { SlicePool } from "./slice-pool.ts";

export type { SliceTerms } from "./slice.ts";

export interface SliceOptions {
  /** The slices of this key; undefined: it is always asked for in the store. */
  readonly shareOf: (key: string) => SliceTerms | undefined;
  /** Its timers should keep no process alive. */
  readonly clock: Clock;
  /** Ids nobody else uses. */
  readonly newId: () => string;
}

export interface SlicedCounters extends Counters {
  /** Gives every slice back. What is still held of them counts as used from then on. Afterwards everything is asked for in the store. */
  close(): Promise<void>;
}

/** What one id holds here. */
interface LocalHold {
  readonly shares: Map<string, { readonly amount: number; readonly pool: SlicePool; readonly shares: readonly Share[] }>;
  /** What it holds in the store under the same id. */
  readonly rest: readonly Hold[];
  readonly forMs: number;
  /** What the store is told of it, once it is settled here: the same again, should the store not have heard. */
  untold?: Readonly<Record<string, number>>;
}

/**
 * The same port, with slices. What differs from the store by itself: what is told of a key lags behind other processes; when the limit is
 * near, a process may be refused what another has free; and a process that is killed loses what was free in its slices, at most one of
 * `amount` for each key and limit in use, and with it the ids of what it held of them: they count as used.
 */
export function sliced(counters: Counters, { shareOf, clock, newId }: SliceOptions): SlicedCounters {
  const local = new Map<string, LocalHold>();
  const asking = new Map<string, Promise<Granted | Refused>>();
  const { pools, poolOf } = poolsOf(counters, clock, newId);
  let isClosed = false;

  const pooled = (hold: KeyHold, terms: SliceTerms | undefined) => (terms ? [{ hold, pool: () => poolOf(hold.key, terms) }] : []);
  const reserve: Counters["reserve"] = (id, holds, forMs) => {
    const mine = local.get(id);
    if (mine) return again(counters, id, mine);
    const [before, wanted] = [asking.get(id), heldByKey(holds)];
    if (before) return before;
    const here = isClosed ? [] : wanted.flatMap((hold) => pooled(hold, shareOf(hold.key)));
    if (here.length === 0) return counters.reserve(id, holds, forMs);
    const rest = wanted.filter(({ key }) => here.every(({ hold }) => hold.key !== key));
    const keep = (shares: LocalHold["shares"]) => void local.set(id, { shares, rest, forMs });
    const atOnce = rest.length === 0 ? takenAtOnce(here) : undefined;
    if (atOnce) {
      keep(atOnce);
      return Promise.resolve({ granted: true, standing: standingOf(atOnce) });
    }
    const more = () => (rest.length === 0 ? nothingMore : counters.reserve(id, rest, forMs));
    const answer = takenInTurn(here, more, keep).finally(() => asking.delete(id));
    asking.set(id, answer);
    return answer;
  };

  return {
    reserve,
    settle: async (id, used) => {
      await asking.get(id)?.catch(() => {});
      const mine = local.get(id);
      if (!mine) return counters.settle(id, used);
      mine.untold ??= putBack(mine, used, pools);
      if (mine.rest.length === 0) {
        local.delete(id);
        return tell(counters, newId(), mine.untold);
      }
      await counters.settle(id, mine.untold);
      if (local.get(id) === mine) local.delete(id);
    },
    read: (keys) => counters.read(keys),
    open: async (prefix) => {
      const ofStore = await counters.open(prefix);
      return [...ofStore.filter(({ id, key }) => !pools.get(key)?.isSlice(id)), ...openHere(local, prefix)].toSorted(byIdAndKey);
    },
    forget: (run) => {
      dropHere(pools, local, run);
      return counters.forget(run);
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...pools.values()].map((pool) => pool.close()));
    },
  };
}

function poolsOf(counters: Counters, clock: Clock, newId: () => string) {
  const pools = new Map<string, SlicePool>();
  const poolOf = (key: string, terms: SliceTerms): SlicePool => {
    let pool = pools.get(key);
    // Forgotten when nobody uses it: keys of windows come and go.
    const onEmpty = () => void (pools.get(key) === pool && pools.delete(key));
    if (!pool) pools.set(key, (pool = new SlicePool({ key, counters, terms, clock, newId, onEmpty })));
    return pool;
  };
  return { pools, poolOf };
}

function dropHere(pools: Map<string, SlicePool>, local: ReadonlyMap<string, LocalHold>, run: string): void {
  for (const [key, pool] of pools) {
    if (pool.run !== run) continue;
    pool.drop();
    pools.delete(key);
    for (const { shares } of local.values()) if (shares.get(key)?.pool === pool) shares.delete(key);
  }
}

function openHere(local: ReadonlyMap<string, LocalHold>, prefix: string): readonly OpenHold[] {
  const mine = [...local].filter(([id, { untold }]) => id.startsWith(prefix) && !untold);
  return mine.flatMap(([id, { shares }]) => [...shares].map(([key, { amount }]) => ({ id, key, amount })));
}

interface Pooled {
  readonly hold: KeyHold;
  /** As it is now: one that has become empty is forgotten. */
  readonly pool: () => SlicePool;
}

const nothingMore: Granted = { granted: true, standing: {} };

/** From what is here, all or nothing; undefined when there is not enough. */
function takenAtOnce(here: readonly Pooled[]): LocalHold["shares"] | undefined {
  const taken: LocalHold["shares"] = new Map();
  for (const { hold, pool: find } of here) {
    const pool = find();
    const shares = pool.take(hold);
    if (!shares) {
      putAllBack(taken);
      return undefined;
    }
    taken.set(hold.key, { amount: hold.amount, pool, shares });
  }
  return taken;
}

/** All or nothing. In the order of the keys, and then what the store holds by itself; `keep` when all is held. */
async function takenInTurn(
  here: readonly Pooled[],
  more: () => Promise<Granted | Refused> | Granted,
  keep: (shares: LocalHold["shares"]) => void,
): Promise<Granted | Refused> {
  const taken: LocalHold["shares"] = new Map();
  try {
    for (const { hold, pool: find } of here) {
      const pool = find();
      const shares = await pool.acquire(hold);
      if ("granted" in shares) {
        putAllBack(taken);
        return shares;
      }
      taken.set(hold.key, { amount: hold.amount, pool, shares });
    }
    const answer = await more();
    if (!answer.granted) putAllBack(taken);
    else keep(taken);
    return answer.granted ? { granted: true, standing: { ...answer.standing, ...standingOf(taken) } } : answer;
  } catch (thrown) {
    putAllBack(taken);
    throw thrown;
  }
}

/** Holds nothing more. */
async function again(counters: Counters, id: string, { shares, rest, forMs }: LocalHold): Promise<Granted | Refused> {
  const answer = rest.length === 0 ? nothingMore : await counters.reserve(id, rest, forMs);
  return answer.granted ? { granted: true, standing: { ...answer.standing, ...standingOf(shares) } } : answer;
}

const standingOf = (shares: LocalHold["shares"]): Readonly<Record<string, CounterState>> =>
  Object.fromEntries([...shares].map(([key, { pool }]) => [key, pool.standing]));

function putAllBack(taken: LocalHold["shares"]): void {
  for (const { pool, shares } of taken.values()) pool.give(shares, 0);
}

/** Answers what the store has to be told because no slice here can take it. */
function putBack({ shares }: LocalHold, used: Readonly<Record<string, number>>, pools: ReadonlyMap<string, SlicePool>) {
  const untold: Record<string, number> = {};
  for (const key of new Set([...shares.keys(), ...Object.keys(used)])) {
    const held = shares.get(key);
    const pool = held?.pool ?? pools.get(key);
    const amount = used[key] ?? 0;
    const left = pool ? pool.give(held?.shares ?? [], amount) : amount;
    if (left > 0) untold[key] = left;
  }
  shares.clear();
  return untold;
}

/** What was used without having been held: held with nothing, so that it can be settled. */
async function tell(counters: Counters, id: string, used: Readonly<Record<string, number>>): Promise<void> {
  const keys = Object.keys(used);
  if (keys.length === 0) return;
  const holds = keys.map((key) => ({ key, amount: 0, limit: Number.MAX_SAFE_INTEGER }));
  await counters.reserve(id, holds, 0);
  await counters.settle(id, used);
}
