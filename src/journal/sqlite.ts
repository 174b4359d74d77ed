// The store in one SQLite file: one process works on its runs, others read and leave messages. Invariant: what was acknowledged is on the disk.
import process from "node:process";
import type { DatabaseSync } from "node:sqlite";
import { AgentError } from "../core/errors.ts";
import type { Journal, WholeStore } from "../core/store.ts";
import { sqlCounters } from "./sql/counters.ts";
import { sqlInbox, sqlRecords } from "./sql/records.ts";
import { conflict, type LineWriter, sqlJournal } from "./sql/runs.ts";
import { type Database, query, type Row, unavailable, type Work, whole } from "./sql/work.ts";
import { type Connection, openConnection, type SqliteDriver } from "./sqlite-file/connection.ts";
import { type GroupedWrites, groupedWrites } from "./sqlite-file/group.ts";
import { dialect, fileOf, openFile } from "./sqlite-file/open-file.ts";
import { lockForWork } from "./sqlite-file/worker-lock.ts";
import { storeClock } from "./store-clock.ts";

export type { SqliteDatabase, SqliteDriver } from "./sqlite-file/connection.ts";

export interface SqliteOptions {
  /**
   * `worker` (default) makes and drives runs; a file has one at a time. `reader` finds and reads them, and has records, counters and the
   * inbox; there may be any number of them, in other processes, whether or not there is a worker.
   */
  readonly role?: "worker" | "reader";
  /** `Database` of better-sqlite3, in place of Node's own. */
  readonly driver?: SqliteDriver;
  /** How long a write waits for those of other processes, in ms; default 5,000. The event loop goes on meanwhile. */
  readonly busyTimeoutMs?: number;
  /** The clock leases and holds run out by, in ms since the epoch; default the machine's. */
  readonly now?: () => number;
}

/** What holds when nothing is said. */
export const sqliteDefaults = { role: "worker", busyTimeoutMs: 5_000 } as const;

/**
 * Opens the file, or makes it; `:memory:` is a database in memory. Throws `store_locked` when another process is its worker, and
 * `journal_unavailable` when it cannot be opened.
 */
export function sqlite(path: string, options: SqliteOptions = {}): WholeStore {
  const { role = sqliteDefaults.role, busyTimeoutMs = sqliteDefaults.busyTimeoutMs, now = storeClock } = options;
  const { driver: Driver = nodeDriver() } = options;
  if (role !== "worker" && role !== "reader") {
    throw new AgentError("configuration_invalid", 'sqlite: `role` is neither "worker" nor "reader".');
  }
  let lock: Connection | undefined;
  try {
    const inMemory = path === ":memory:";
    const file = inMemory ? path : fileOf(path);
    if (role === "worker" && !inMemory) lock = lockForWork(file, Driver, () => workerOf(file, Driver));
    const connection = openFile(file, Driver, busyTimeoutMs);
    if (lock) connection.run(query("INSERT OR REPLACE INTO worker (one, pid) VALUES (1, $1)", [process.pid]));
    return storeOn(connection, { role, now, busyTimeoutMs, closed: () => lock?.close() });
  } catch (thrown) {
    lock?.close();
    throw unavailable(thrown);
  }
}

/** Asked for only here: on Node 22 loading it prints a warning, and whoever brings a driver does not need it. */
function nodeDriver(): typeof DatabaseSync {
  return process.getBuiltinModule("node:sqlite").DatabaseSync;
}

/** Whoever has the lock wrote down who it is, if it has come so far. */
function workerOf(file: string, Driver: SqliteDriver): number | undefined {
  const connection = openConnection(file, Driver);
  try {
    const [row] = connection.run(query("SELECT pid FROM worker"));
    return row && whole(row, "pid");
  } catch {
    return undefined;
  } finally {
    connection.close();
  }
}

interface FileTerms {
  readonly role: "worker" | "reader";
  readonly now: () => number;
  readonly busyTimeoutMs: number;
  readonly closed: () => void;
}

function storeOn(connection: Connection, { role, now, busyTimeoutMs, closed }: FileTerms): WholeStore {
  const writes = groupedWrites(connection, Math.trunc(busyTimeoutMs));
  const database = fileDatabase(connection, writes, now);
  const journal = sqlJournal(database, lineWriter(writes, now));
  let open = true;
  return {
    journal: role === "worker" ? journal : readOnly(journal),
    counters: sqlCounters(database),
    records: sqlRecords(database),
    inbox: sqlInbox(database),
    close: () => {
      if (open) {
        open = false;
        writes.flush();
        connection.close();
        closed();
      }
      return Promise.resolve();
    },
  };
}

function fileDatabase(connection: Connection, writes: GroupedWrites, now: () => number): Database {
  return {
    dialect,
    now,
    read: (read) =>
      new Promise<readonly Row[]>((resolve) => resolve(connection.run(read))).catch((thrown: unknown) => {
        throw unavailable(thrown);
      }),
    write: (write) =>
      writes.add(function* (): Work<readonly Row[]> {
        return yield write;
      }),
    transact: (work) => writes.add(work),
  };
}

function lineWriter(writes: GroupedWrites, now: () => number): LineWriter {
  return {
    add,
    append: (runId, { epoch, sequence }, lines, phase) =>
      writes.add(function* (): Work<void> {
        const owned = yield query(
          `UPDATE runs SET length = length + $4, phase = $5, updated_at = $6 WHERE run_id = $1 AND epoch = $2 AND length = $3 RETURNING epoch`,
          [runId, epoch, sequence, lines.length, phase, now()],
        );
        if (owned.length === 0) throw conflict(runId);
        yield* add(runId, sequence, lines);
      }),
  };

  function* add(runId: string, from: number, lines: readonly string[]): Work<void> {
    for (const [position, line] of lines.entries()) {
      yield query("INSERT INTO lines (run_id, seq, line) VALUES ($1, $2, $3)", [runId, from + position, line]);
    }
  }
}

function readOnly(journal: Required<Journal>): Required<Journal> {
  const refuse = () =>
    Promise.reject(
      new AgentError("configuration_invalid", 'This store was opened with role "reader": it can look at runs, not drive them.'),
    );
  return { ...journal, create: refuse, claim: refuse, append: refuse, renew: refuse, release: refuse, free: refuse };
}
