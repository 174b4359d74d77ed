// Which process may work on a file's runs. Invariant: the lock is the operating system's, so it ends with the process that has it.
import { AgentError } from "../../core/errors.ts";
import { type Connection, openConnection, type SqliteDriver } from "./connection.ts";

/**
 * Takes the lock beside the file, or throws `store_locked`. Held by a transaction that is never ended, on a file of its own: whoever else
 * opens a database lets go of nothing of it.
 */
export function lockForWork(path: string, Driver: SqliteDriver, holder: () => number | undefined): Connection {
  const lock = openConnection(`${path}-worker`, Driver);
  try {
    lock.exec("PRAGMA busy_timeout = 0");
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (thrown) {
    lock.close();
    if (!isBusy(thrown)) throw thrown;
    const pid = holder();
    const who = pid === undefined ? "Another process" : `Process ${pid}`;
    throw new AgentError("store_locked", `${who} is the worker of ${path}; a file has one.`, { cause: thrown, details: { path, pid } });
  }
}

/** What SQLite says when somebody else has the lock; the drivers pass on its words, each with a code of its own. */
export const isBusy = (thrown: unknown): boolean => thrown instanceof Error && /database (table )?is locked/.test(thrown.message);
