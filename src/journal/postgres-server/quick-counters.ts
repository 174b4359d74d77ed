// Counters of Postgres in one statement, one way there and back: so short is the time a row many want is locked. Invariant: what is decided
// and written comes from the values that locking answered; the rest of a statement sees the table as it was before it waited.
import { AgentError } from "../../core/errors.ts";
import { decided, keysOf } from "../../core/holds.ts";
import { isObject } from "../../core/json.ts";
import type { QuickCounters } from "../sql/counters.ts";
import { type Database, type Query, query, type Row, text, whole } from "../sql/work.ts";

export function quickCounters(database: Database): QuickCounters {
  const [reserving, settling] = [reserveStatement(database), settleStatement(database)];
  const attempt = (asked: Query): Promise<readonly Row[] | undefined> =>
    database.write(asked).catch((thrown: unknown) => {
      if (isInTheWay(thrown)) return undefined;
      throw thrown;
    });

  return {
    reserve: async ({ id, wanted, forMs }) => {
      const keys = keysOf(wanted);
      const parts = wanted.flatMap(({ key, also }) => [key, ...also].map((part) => ({ key, part })));
      const rows = await attempt(
        query(reserving, [
          id,
          wanted.map(({ key }) => key),
          wanted.map(({ amount }) => `${amount}`),
          wanted.map(({ limit }) => `${limit}`),
          wanted.map(({ until = "" }) => `${until}`),
          wanted.map(({ run = "" }) => run),
          parts.map(({ key }) => key),
          parts.map(({ part }) => part),
          keys,
          database.now(),
          forMs,
        ]),
      );
      if (rows?.length !== keys.length || rows.some((row) => row["again"] === true)) return undefined;
      const states = new Map(rows.map((row) => [text(row, "key"), { used: whole(row, "used"), held: whole(row, "held") }]));
      const answer = decided(wanted, (key) => states.get(key) ?? { used: 0, held: 0 });
      // What is in the way may be the same id, asked at the same time: this statement cannot see that, a second one after the lock can.
      return answer.granted ? answer : undefined;
    },
    settle: async (id, used) => {
      const keys = Object.keys(used);
      const rows = await attempt(query(settling, [id, keys, keys.map((key) => `${used[key] ?? 0}`)]));
      return rows?.[0]?.["ok"] === true;
    },
  };
}

/** Somebody made the same hold at the same time; a row came to be otherwise than it was locked; two waited for each other. */
const codesInTheWay = ["23505", "22012", "40P01"];

function isInTheWay(thrown: unknown): boolean {
  const cause = AgentError.is(thrown) ? thrown.cause : undefined;
  return isObject(cause) && codesInTheWay.some((code) => cause["code"] === code);
}

/** Answers the locked rows as they were before. A row of `changed` too few divides by zero, which undoes everything. */
function reserveStatement({ dialect }: Database): string {
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];
  return `WITH wanted AS (
      SELECT key, amount, most, nullif(until_at, '')::bigint AS until_at, nullif(run_id, '') AS run_id
      FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[]) AS given (key, amount, most, until_at, run_id)
    ), locked AS (
      SELECT key, used, held, until_at, run_id FROM ${counters} WHERE key = ANY ($9::text[]) ORDER BY key FOR UPDATE
    ), after AS (
      SELECT locked.key, locked.used + locked.held + coalesce(wanted.amount, 0) AS total FROM locked LEFT JOIN wanted USING (key)
    ), fitting AS (
      SELECT wanted.key FROM wanted JOIN unnest($7::text[], $8::text[]) AS given (key, part) USING (key) JOIN after ON after.key = part
      GROUP BY wanted.key, most HAVING sum(total) <= most
    ), answer AS (
      SELECT again, NOT again AND (SELECT count(*) FROM locked) = cardinality($9::text[])
        AND (SELECT count(*) FROM fitting) = cardinality($2::text[]) AS ok
      FROM (SELECT EXISTS (SELECT 1 FROM ${holds} WHERE id = $1) AS again) AS before
    ), changed AS (
      UPDATE ${counters} AS row SET held = locked.held + amount, run_id = coalesce(locked.run_id, wanted.run_id),
        until_at = CASE WHEN locked.until_at IS NULL OR wanted.until_at IS NULL THEN NULL ELSE greatest(locked.until_at, wanted.until_at) END
      FROM wanted JOIN locked USING (key) WHERE row.key = wanted.key AND (SELECT ok FROM answer) RETURNING row.key
    ), added AS (
      INSERT INTO ${holds} (id, key, amount, expires_at)
      SELECT $1, key, amount, ${dialect.instant("$10")} + $11::bigint FROM wanted WHERE (SELECT ok FROM answer)
    ) SELECT key, used, held, again,
        1 / (CASE WHEN NOT ok OR (SELECT count(*) FROM changed) = cardinality($2::text[]) THEN 1 ELSE 0 END) AS sound
      FROM locked, answer`;
}

/** Answers whether every row was there. Counters are locked before holds go, as everywhere. */
function settleStatement({ dialect }: Database): string {
  const [counters, holds] = [dialect.table("counters"), dialect.table("holds")];
  return `WITH used AS (
      SELECT key, amount FROM unnest($2::text[], $3::bigint[]) AS given (key, amount)
    ), mine AS (
      SELECT key FROM ${holds} WHERE id = $1
    ), wanted AS (
      SELECT key FROM mine UNION SELECT key FROM used WHERE EXISTS (SELECT 1 FROM mine)
    ), locked AS (
      SELECT key, used, held FROM ${counters} AS row WHERE key = ANY (ARRAY (SELECT key FROM wanted)) ORDER BY key FOR UPDATE
    ), answer AS (
      SELECT (SELECT count(*) FROM locked) = (SELECT count(*) FROM wanted) AS ok
    ), gone AS (
      DELETE FROM ${holds} WHERE id = $1 AND (SELECT ok FROM answer) RETURNING key, amount
    ), changed AS (
      UPDATE ${counters} AS row SET used = locked.used + coalesce(used.amount, 0), held = locked.held - coalesce(gone.amount, 0)
      FROM locked LEFT JOIN gone USING (key) LEFT JOIN used USING (key)
      WHERE row.key = locked.key AND EXISTS (SELECT 1 FROM gone) RETURNING row.key
    ) SELECT ok, 1 / (CASE WHEN NOT EXISTS (SELECT 1 FROM gone) OR (SELECT count(*) FROM changed) = (SELECT count(*) FROM wanted)
        THEN 1 ELSE 0 END) AS sound
      FROM answer`;
}
