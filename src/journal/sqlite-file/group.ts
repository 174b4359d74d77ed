// Writes of one turn of the event loop in one transaction. Invariant: nobody is told of a write before it is on the disk.
import type { Work } from "../sql/work.ts";
import { unavailable } from "../sql/work.ts";
import type { Connection } from "./connection.ts";

interface Job {
  /** Does it; answers how to tell what came of it once it lasts. */
  readonly run: () => () => void;
  readonly reject: (error: unknown) => void;
}

export interface GroupedWrites {
  /** All or nothing, whatever becomes of the others in its group. */
  add<T>(work: () => Work<T>): Promise<T>;
  /** What has been added is written at once. */
  flush(): void;
}

/** So many at most keep the event loop waiting at a time. */
const mostAtOnce = 500;

export function groupedWrites(connection: Connection): GroupedWrites {
  let waiting: Job[] = [];

  const flush = () => {
    const jobs = waiting.splice(0, mostAtOnce);
    if (waiting.length > 0) setImmediate(flush);
    if (jobs.length === 0) return;
    try {
      connection.exec("BEGIN IMMEDIATE");
      const told = jobs.map((job) => attempted(connection, job));
      connection.exec("COMMIT");
      for (const tell of told) tell();
    } catch (thrown) {
      rollBack(connection);
      for (const { reject } of jobs) reject(unavailable(thrown));
    }
  };

  return {
    add: (work) =>
      new Promise((resolve, reject) => {
        const run = () => {
          const value = finish(connection, work());
          return () => resolve(value);
        };
        if (waiting.push({ run, reject }) === 1) setImmediate(flush);
      }),
    flush: () => {
      while (waiting.length > 0) flush();
    },
  };
}

/** One piece of work that fails is undone by itself. */
function attempted(connection: Connection, { run, reject }: Job): () => void {
  connection.exec("SAVEPOINT job");
  try {
    const tell = run();
    connection.exec("RELEASE job");
    return tell;
  } catch (thrown) {
    // Where SQLite has undone everything already (a full disk), this throws, and nobody is told that anything was written.
    connection.exec("ROLLBACK TO job; RELEASE job");
    return () => reject(unavailable(thrown));
  }
}

export function finish<T>(connection: Connection, work: Work<T>): T {
  let step = work.next([]);
  while (!step.done) step = work.next(connection.run(step.value));
  return step.value;
}

function rollBack(connection: Connection) {
  try {
    connection.exec("ROLLBACK");
  } catch {
    // there was no transaction any more
  }
}
