// Counters in SQL. Invariant: rows of counters are locked in the order of their keys, and no decision is made on values read before the lock.
import type { Counters, Hold } from "../../core/store.ts";
import { type Database, placeholders, query, type Row, text, type Work, whole } from "./work.ts";

type Refusal = Awaited<ReturnType<Counters["reserve"]>>;

/** What a transaction that has changed nothing found to have no row yet. */
interface Missing {
  readonly missing: readonly string[];
}

export function sqlCounters(database: Database): Counters {
  const { dialect, now } = database;
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];

  /** Rows are made outside the transaction that locks them: inside it they would be locked out of order. */
  const withRows = async <T>(work: () => Work<T | Missing>): Promise<T> => {
    for (;;) {
      const answer = await database.transact(work);
      if (!isMissing(answer)) return answer;
      const rows = answer.missing.map((_, position) => `($${position + 1}, 0, 0)`);
      const insert = `INSERT INTO ${counters} (key, used, held) VALUES ${rows.join(", ")} ON CONFLICT (key) DO NOTHING`;
      await database.write(query(insert, answer.missing));
    }
  };

  return {
    reserve: (id, wanted, forMs) => withRows(() => reserve(database, { id, wanted: inOrder(wanted), forMs })),
    settle: (id, used) => withRows(() => settle(database, id, used)),
    read: async (keys) => {
      if (keys.length === 0) return [];
      const rows = await database.read(
        query(
          `SELECT key, used, held, (SELECT coalesce(sum(amount), 0) FROM ${holds} h
              WHERE h.key = c.key AND settled = 0 AND expires_at <= ${dialect.instant("$1")}) AS expired
            FROM ${counters} c WHERE key IN (${placeholders(keys.length, 2)})`,
          [now(), ...keys],
        ),
      );
      const byKey = new Map(rows.map((row) => [text(row, "key"), row]));
      return keys.map((key) => stateOf(byKey.get(key)));
    },
  };
}

interface Reservation {
  readonly id: string;
  readonly wanted: readonly Hold[];
  readonly forMs: number;
}

function* reserve({ dialect, now }: Database, { id, wanted, forMs }: Reservation): Work<Refusal | Missing> {
  if (wanted.length === 0) return undefined;
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];
  const standing = yield* lock(
    dialect,
    wanted.map(({ key }) => key),
  );
  if (isMissing(standing)) return standing;
  // Only now: whoever asked with the same id at the same time has these counters behind them.
  const before = yield query(`SELECT 1 AS one FROM ${holds} WHERE id = $1`, [id]);
  if (before.length > 0) return undefined;
  for (const { key, amount, limit } of wanted) {
    const { used, held } = standing.get(key) ?? { used: 0, held: 0 };
    if (used + held + amount > limit) return { refusedBy: key, used, held };
  }
  for (const { key, amount } of wanted) {
    yield query(`UPDATE ${counters} SET held = held + $2 WHERE key = $1`, [key, amount]);
    const expiry = `${dialect.instant("$4")} + $5`;
    const values = [id, key, amount, now(), forMs];
    yield query(`INSERT INTO ${holds} (id, key, amount, expires_at, settled) VALUES ($1, $2, $3, ${expiry}, 0)`, values);
  }
  return undefined;
}

function* settle({ dialect }: Database, id: string, used: Readonly<Record<string, number>>): Work<void | Missing> {
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];
  const open = yield query(`SELECT key FROM ${holds} WHERE id = $1 AND settled = 0`, [id]);
  if (open.length === 0) return;
  const keys = [...new Set([...open.map((row) => text(row, "key")), ...Object.keys(used)])].toSorted(byUnits);
  const standing = yield* lock(dialect, keys);
  if (isMissing(standing)) return standing;
  // Whoever settled the same id meanwhile has left no open hold.
  const settled = yield query(`UPDATE ${holds} SET settled = 1 WHERE id = $1 AND settled = 0 RETURNING key, amount`, [id]);
  if (settled.length === 0) return;
  const held = new Map(settled.map((row) => [text(row, "key"), whole(row, "amount")]));
  for (const key of keys) {
    const change = [key, used[key] ?? 0, held.get(key) ?? 0];
    yield query(`UPDATE ${counters} SET used = used + $2, held = held - $3 WHERE key = $1`, change);
  }
}

/** What the rows of these keys stand at, which nobody else changes until the transaction is over. */
function* lock(dialect: Database["dialect"], keys: readonly string[]): Work<ReadonlyMap<string, { used: number; held: number }> | Missing> {
  const wanted = placeholders(keys.length, 1);
  const select = `SELECT key, used, held FROM ${dialect.table("counters")} WHERE key IN (${wanted}) ORDER BY key ${dialect.forUpdate}`;
  const rows = yield query(select, keys);
  const found = new Map(rows.map((row) => [text(row, "key"), { used: whole(row, "used"), held: whole(row, "held") }]));
  return found.size === keys.length ? found : { missing: keys.filter((key) => !found.has(key)) };
}

const isMissing = (answer: unknown): answer is Missing => typeof answer === "object" && answer !== null && "missing" in answer;

function stateOf(row: Row | undefined) {
  if (!row) return { used: 0, held: 0 };
  const expired = whole(row, "expired");
  return { used: whole(row, "used") + expired, held: whole(row, "held") - expired };
}

/** Several holds of one key are one. */
function inOrder(wanted: readonly Hold[]): readonly Hold[] {
  const byKey = new Map<string, Hold>();
  for (const hold of wanted) {
    const other = byKey.get(hold.key);
    byKey.set(hold.key, other ? { ...hold, amount: hold.amount + other.amount, limit: Math.min(hold.limit, other.limit) } : hold);
  }
  return [...byKey.values()].toSorted((one, other) => byUnits(one.key, other.key));
}

/** Any order does, so long as everybody has the same. */
const byUnits = (one: string, other: string) => (one < other ? -1 : Number(one > other));
