// A file made ready: how it is written, and its tables. Invariant: any number of processes may do this with one file at once.
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isPresent, migrate, selectSteps, stepsDone } from "../sql/schema.ts";
import { query } from "../sql/work.ts";
import { type Connection, openConnection, type SqliteDriver } from "./connection.ts";
import { finish } from "./group.ts";
import { isBusy } from "./worker-lock.ts";

export const dialect = {
  table: (name: string) => name,
  instant: (placeholder: string) => placeholder,
  forUpdate: "",
  forUpdateOfFree: "",
};

export function openFile(path: string, Driver: SqliteDriver, busyTimeoutMs: number): Connection {
  const connection = openConnection(path, Driver);
  try {
    connection.exec(`PRAGMA busy_timeout = ${Math.trunc(busyTimeoutMs)}`);
    writeAhead(connection, busyTimeoutMs);
    connection.exec("PRAGMA synchronous = FULL");
    if (!isMigrated(connection)) migrateAlone(connection);
    return connection;
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}

const pauseMs = 10;

/** SQLite does not wait by itself for others who are opening the file while it is not yet in this mode. */
function writeAhead(connection: Connection, timeoutMs: number) {
  for (let waited = 0; ; waited += pauseMs) {
    try {
      connection.run(query("PRAGMA journal_mode = WAL"));
      return;
    } catch (thrown) {
      if (!isBusy(thrown) || waited >= timeoutMs) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
    }
  }
}

function isMigrated(connection: Connection): boolean {
  const tables = connection.run(query("SELECT name FROM sqlite_master WHERE name = $1", ["schema_steps"]));
  return tables.length > 0 && isPresent(stepsDone(connection.run(query(selectSteps(dialect.table)))));
}

function migrateAlone(connection: Connection) {
  connection.exec("BEGIN IMMEDIATE");
  try {
    connection.exec("CREATE TABLE IF NOT EXISTS worker (one INTEGER PRIMARY KEY, pid INTEGER NOT NULL)");
    finish(
      connection,
      migrate(dialect.table, { key: "TEXT", field: (name) => `json_extract(line, '$.${name}')`, byKey: " WITHOUT ROWID" }),
    );
    connection.exec("COMMIT");
  } catch (thrown) {
    connection.exec("ROLLBACK");
    throw thrown;
  }
}

/** One name for a file, however it was called: the lock stands beside it under that name. */
export function fileOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return join(realpathSync(dirname(path)), basename(path));
  }
}
