// The rows of counters: made, forgotten. Invariant: whoever deletes a row has locked it and seen that nothing of it is held, or takes its holds along.
import { type Database, type Dialect, placeholders, query, text, type Work, whole } from "./work.ts";

/** A row that is to be made. */
export interface NewRow {
  readonly key: string;
  /** Epoch ms; null = never. */
  readonly until: number | null;
  readonly run: string | null;
}

/** More than are made, so that what is stale grows less. */
const sweptPerRow = 2;

/** What is held long after nobody asks for its key is looked at again so much later: it is not to be in the way of what can be forgotten. */
const postponedMs = 3_600_000;

/** Makes rows, outside any transaction that locks them: inside it they would be locked out of order. In the order of their keys. */
export async function makeRows(database: Database, rows: readonly NewRow[]): Promise<void> {
  // Before, not after: what is asked for late would be forgotten at once.
  await database.transact(() => sweep(database, rows.length * sweptPerRow));
  const values = rows.map((_, position) => `($${position * 3 + 1}, 0, 0, $${position * 3 + 2}, $${position * 3 + 3})`);
  const columns = "key, used, held, until_at, run_id";
  const insert = `INSERT INTO ${database.dialect.table("counters")} (${columns}) VALUES ${values.join(", ")} ON CONFLICT (key) DO NOTHING`;
  await database.write(
    query(
      insert,
      rows.flatMap(({ key, until, run }) => [key, until, run]),
    ),
  );
}

/** Forgets a few counters that nobody asks for any more. Waits for nobody. */
function* sweep({ dialect, now }: Database, most: number): Work<void> {
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];
  const present = dialect.instant("$1");
  const stale = yield query(
    `SELECT key, held, (SELECT count(*) FROM ${holds} h WHERE h.key = c.key) AS holders
      FROM ${counters} c WHERE until_at <= ${present} ORDER BY until_at LIMIT $2 ${dialect.forUpdateOfFree}`,
    [now(), most],
  );
  const [free, busy] = [true, false].map((wanted) =>
    stale.filter((row) => (whole(row, "held") === 0 && whole(row, "holders") === 0) === wanted).map((row) => text(row, "key")),
  );
  yield* deleteRows(dialect, "counters", free ?? []);
  for (const key of busy ?? []) yield query(`UPDATE ${counters} SET until_at = ${present} + $2 WHERE key = $3`, [now(), postponedMs, key]);
}

/** Forgets the counters of a run. Whoever waits for one of their rows finds that there is none. */
export function* forgetRun({ dialect }: Database, run: string): Work<void> {
  const counters = dialect.table("counters");
  const rows = yield query(`SELECT key FROM ${counters} WHERE run_id = $1 ORDER BY key ${dialect.forUpdate}`, [run]);
  const keys = rows.map((row) => text(row, "key"));
  yield* deleteRows(dialect, "holds", keys);
  yield* deleteRows(dialect, "counters", keys);
}

/** As many at a time as any database takes values. */
const mostDeleted = 1_000;

function* deleteRows({ table }: Dialect, from: "counters" | "holds", keys: readonly string[]): Work<void> {
  for (let start = 0; start < keys.length; start += mostDeleted) {
    const some = keys.slice(start, start + mostDeleted);
    yield query(`DELETE FROM ${table(from)} WHERE key IN (${placeholders(some.length, 1)})`, some);
  }
}
