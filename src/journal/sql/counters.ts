// Counters in SQL. Invariant: rows of counters are locked in the order of their keys, and no decision is made on values read before the lock.
import { byUnits, decided, heldByKey, type KeyHold, keysOf, standing } from "../../core/holds.ts";
import type { CounterState, Counters, Granted, Refused } from "../../core/store.ts";
import { forgetRun, makeRows, type NewRow } from "./counter-rows.ts";
import { type Database, placeholders, query, type Row, text, type Work, whole } from "./work.ts";

/** What a transaction that has changed nothing found to have no row yet. */
interface Missing {
  readonly missing: readonly NewRow[];
}

export interface Reservation {
  readonly id: string;
  /** In the order of the keys. */
  readonly wanted: readonly KeyHold[];
  readonly forMs: number;
}

/**
 * The same in one way there and back, where a database can. Undefined (false): nothing was changed, because a row is missing or somebody
 * was in the way; then the transactions here do it.
 */
export interface QuickCounters {
  reserve(reservation: Reservation): Promise<Granted | Refused | undefined>;
  settle(id: string, used: Readonly<Record<string, number>>): Promise<boolean>;
}

const inTransactions: QuickCounters = { reserve: () => Promise.resolve(undefined), settle: () => Promise.resolve(false) };

export function sqlCounters(database: Database, quick: QuickCounters = inTransactions): Counters {
  const withRows = async <T>(work: () => Work<T | Missing>): Promise<T> => {
    for (;;) {
      const answer = await database.transact(work);
      if (!isMissing(answer)) return answer;
      await makeRows(database, answer.missing);
    }
  };
  return {
    reserve: async (id, holds, forMs) => {
      const reservation = { id, wanted: heldByKey(holds), forMs };
      if (reservation.wanted.length === 0) return { granted: true, standing: {} };
      return (await quick.reserve(reservation)) ?? (await withRows(() => reserve(database, reservation)));
    },
    settle: async (id, used) => {
      if (!(await quick.settle(id, used))) await withRows(() => settle(database, id, used));
    },
    read: (keys) => (keys.length === 0 ? Promise.resolve([]) : read(database, keys)),
    open: async (prefix) => {
      const end = firstBehind(prefix);
      const range = end === undefined ? "id >= $1" : "id >= $1 AND id < $2";
      const select = `SELECT id, key, amount FROM ${database.dialect.table("holds")} WHERE ${range} ORDER BY id, key`;
      const rows = await database.read(query(select, end === undefined ? [prefix] : [prefix, end]));
      return rows.map((row) => ({ id: text(row, "id"), key: text(row, "key"), amount: whole(row, "amount") }));
    },
    forget: (run) => database.transact(() => forgetRun(database, run)),
  };
}

function* reserve({ dialect, now }: Database, { id, wanted, forMs }: Reservation): Work<Granted | Refused | Missing> {
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];
  // Those of `also` are there too, so that nobody adds to one of them meanwhile.
  const rows = yield* lock(dialect, keysOf(wanted));
  const missing = missingRows(wanted, rows);
  if (missing.length > 0) return { missing };
  const at = (key: string) => rows.get(key) ?? nothing;
  // Only now: whoever asked with the same id at the same time has these counters behind them.
  const before = yield query(`SELECT 1 AS one FROM ${holds} WHERE id = $1`, [id]);
  if (before.length > 0) return standing(wanted, at);
  const answer = decided(wanted, at);
  if (!answer.granted) return answer;
  for (const hold of wanted) {
    const { until, run } = kept(hold, rows.get(hold.key));
    const values = [hold.key, hold.amount, until, run];
    yield query(`UPDATE ${counters} SET held = held + $2, until_at = $3, run_id = $4 WHERE key = $1`, values);
    const insert = `INSERT INTO ${holds} (id, key, amount, expires_at) VALUES ($1, $2, $3, ${dialect.instant("$4")} + $5)`;
    yield query(insert, [id, hold.key, hold.amount, now(), forMs]);
  }
  return answer;
}

/** A row's own terms, lengthened by a hold. */
function kept({ until, run }: KeyHold, row: LockedRow | undefined): { readonly until: number | null; readonly run: string | null } {
  const isNever = until === undefined || row?.until === null;
  return { until: isNever ? null : Math.max(until, row?.until ?? 0), run: row?.run ?? run ?? null };
}

/** A key that only counts along is kept as long as the one it counts for. */
function missingRows(wanted: readonly KeyHold[], rows: ReadonlyMap<string, LockedRow>): readonly NewRow[] {
  const missing = new Map<string, NewRow>();
  for (const { key, also, until = null, run = null } of wanted) {
    for (const one of [key, ...also]) if (!rows.has(one) && (one === key || !missing.has(one))) missing.set(one, { key: one, until, run });
  }
  return [...missing.values()].toSorted((one, other) => byUnits(one.key, other.key));
}

function* settle({ dialect }: Database, id: string, used: Readonly<Record<string, number>>): Work<void | Missing> {
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];
  const open = yield query(`SELECT key FROM ${holds} WHERE id = $1`, [id]);
  if (open.length === 0) return;
  const keys = [...new Set([...open.map((row) => text(row, "key")), ...Object.keys(used)])].toSorted(byUnits);
  const rows = yield* lock(dialect, keys);
  const missing = keys.filter((key) => !rows.has(key));
  if (missing.length > 0) return { missing: missing.map((key) => ({ key, until: null, run: null })) };
  // Whoever settled the same id meanwhile has left no hold.
  const settled = yield query(`DELETE FROM ${holds} WHERE id = $1 RETURNING key, amount`, [id]);
  if (settled.length === 0) return;
  const held = new Map(settled.map((row) => [text(row, "key"), whole(row, "amount")]));
  for (const key of keys) {
    const change = [key, used[key] ?? 0, held.get(key) ?? 0];
    yield query(`UPDATE ${counters} SET used = used + $2, held = held - $3 WHERE key = $1`, change);
  }
}

interface LockedRow extends CounterState {
  readonly until: number | null;
  readonly run: string | null;
}

/** The rows of these keys, which nobody else changes until the transaction is over. */
function* lock(dialect: Database["dialect"], keys: readonly string[]): Work<ReadonlyMap<string, LockedRow>> {
  const columns = "key, used, held, until_at, run_id";
  const wanted = placeholders(keys.length, 1);
  const rows = yield query(
    `SELECT ${columns} FROM ${dialect.table("counters")} WHERE key IN (${wanted}) ORDER BY key ${dialect.forUpdate}`,
    keys,
  );
  return new Map(
    rows.map((row) => {
      const until = row["until_at"] === null ? null : whole(row, "until_at");
      const run = row["run_id"] === null ? null : text(row, "run_id");
      return [text(row, "key"), { used: whole(row, "used"), held: whole(row, "held"), until, run }];
    }),
  );
}

async function read(database: Database, keys: readonly string[]): Promise<readonly CounterState[]> {
  const { dialect, now } = database;
  const rows = await database.read(
    query(
      `SELECT key, used, held, (SELECT coalesce(sum(amount), 0) FROM ${dialect.table("holds")} h
          WHERE h.key = c.key AND expires_at <= ${dialect.instant("$1")}) AS expired
        FROM ${dialect.table("counters")} c WHERE key IN (${placeholders(keys.length, 2)})`,
      [now(), ...keys],
    ),
  );
  const byKey = new Map(rows.map((row) => [text(row, "key"), row]));
  return keys.map((key) => stateOf(byKey.get(key)));
}

const nothing: CounterState = { used: 0, held: 0 };

function stateOf(row: Row | undefined): CounterState {
  if (!row) return nothing;
  const expired = whole(row, "expired");
  return { used: whole(row, "used") + expired, held: whole(row, "held") - expired };
}

const isMissing = (answer: unknown): answer is Missing => typeof answer === "object" && answer !== null && "missing" in answer;

const [lastPoint, beforeSurrogates, behindSurrogates] = [0x10ffff, 0xd7ff, 0xe000];

/** The first text, in the order of bytes, behind all that begin with this one; undefined when there is none. A range, for it has an index. */
function firstBehind(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? lastPoint);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < lastPoint) return String.fromCodePoint(...points, last === beforeSurrogates ? behindSurrogates : last + 1);
  }
  return undefined;
}
