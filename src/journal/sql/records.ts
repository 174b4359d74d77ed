// Documents and inboxes in SQL. Invariant: a value is checked before it is written, and comes back as it went in.
import { assertJson, type Json } from "../../core/json.ts";
import type { Inbox, Records, Versioned } from "../../core/store.ts";
import { type Database, query, type Row, text, type Work, whole } from "./work.ts";

export function sqlRecords(database: Database): Records {
  const records = database.dialect.table("records");
  return {
    get: async (kind, id) => {
      const [row] = await database.read(query(`SELECT id, version, value FROM ${records} WHERE kind = $1 AND id = $2`, [kind, id]));
      return row && versioned(row);
    },
    put: async (kind, id, value, version) => {
      const written = await database.write(
        version === 0
          ? query(
              `INSERT INTO ${records} (kind, id, version, value) VALUES ($1, $2, 1, $3) ON CONFLICT (kind, id) DO NOTHING RETURNING id`,
              [kind, id, encoded(value)],
            )
          : query(`UPDATE ${records} SET version = version + 1, value = $3 WHERE kind = $1 AND id = $2 AND version = $4 RETURNING id`, [
              kind,
              id,
              encoded(value),
              version,
            ]),
      );
      return written.length > 0;
    },
    list: async (kind, { limit, after }) => {
      const rows = await database.read(
        after === undefined
          ? query(`SELECT id, version, value FROM ${records} WHERE kind = $1 ORDER BY id LIMIT $2`, [kind, limit])
          : query(`SELECT id, version, value FROM ${records} WHERE kind = $1 AND id > $3 ORDER BY id LIMIT $2`, [kind, limit, after]),
      );
      return rows.map(versioned);
    },
    remove: async (kind, id, version) => {
      const gone = await database.write(
        query(`DELETE FROM ${records} WHERE kind = $1 AND id = $2 AND version = $3 RETURNING id`, [kind, id, version]),
      );
      return gone.length > 0;
    },
  };
}

export function sqlInbox(database: Database): Inbox {
  const { dialect } = database;
  const inbox = dialect.table("inbox");
  return {
    post: async (runId, id, value) => {
      const line = encoded(value);
      return database.transact(() => post(runId, id, line));
    },
    read: async (runId, position = 0) => {
      const messages = query(`SELECT id, position, value FROM ${inbox} WHERE run_id = $1 AND position > $2 ORDER BY position`, [
        runId,
        position,
      ]);
      return (await database.read(messages)).map((row) => ({
        id: text(row, "id"),
        position: whole(row, "position"),
        value: decoded(row),
      }));
    },
  };

  function* post(runId: string, id: string, value: string): Work<boolean> {
    // One after the other: a position that is seen has none below it that comes later.
    if (dialect.alone) yield dialect.alone(`inbox ${runId}`);
    const posted = yield query(
      `INSERT INTO ${inbox} (run_id, id, position, value)
        SELECT $1, $2, coalesce(max(position), 0) + 1, $3 FROM ${inbox} WHERE run_id = $1 ON CONFLICT (run_id, id) DO NOTHING RETURNING id`,
      [runId, id, value],
    );
    return posted.length > 0;
  }
}

const versioned = (row: Row): Versioned => ({ id: text(row, "id"), version: whole(row, "version"), value: decoded(row) });

const decoded = (row: Row): Json => JSON.parse(text(row, "value"));

function encoded(value: Json): string {
  assertJson(value);
  return JSON.stringify(value);
}
