// Writes of one turn of the event loop in one transaction. Invariant: nobody is told of a write before it is on the disk.
import type { Work } from "../sql/work.ts";
import { query, unavailable } from "../sql/work.ts";
import { pause, storeClock } from "../store-clock.ts";
import type { Connection } from "./connection.ts";
import { isBusy } from "./worker-lock.ts";

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

/**
 * Between two tries while another process writes. SQLite's own waiting blocks the event loop, and grows so long between tries that a busy
 * worker keeps others out for a second.
 */
const pauseMs = 1;

export function groupedWrites(connection: Connection, busyTimeoutMs: number): GroupedWrites {
  let waiting: Job[] = [];
  let scheduled = false;

  // Prepared once each, for every commit does all of them.
  const [now, later] = [query("PRAGMA busy_timeout = 0"), query(`PRAGMA busy_timeout = ${busyTimeoutMs}`)];
  const [beginning, committing] = [query("BEGIN IMMEDIATE"), query("COMMIT")];
  const begin = (waits: boolean) => {
    if (!waits) connection.run(now);
    connection.run(beginning);
    if (!waits) connection.run(later);
  };

  /** False when somebody else is writing, and the jobs are to wait on. */
  const flush = (waits: boolean, isLast: boolean): boolean => {
    const jobs = waiting.slice(0, mostAtOnce);
    try {
      begin(waits);
      const [only, ...others] = jobs;
      // Alone in its transaction, a piece of work is undone with it.
      const told = only && others.length === 0 ? [only.run()] : jobs.map((job) => attempted(connection, job));
      connection.run(committing);
      waiting = waiting.slice(jobs.length);
      for (const tell of told) tell();
    } catch (thrown) {
      rollBack(connection, busyTimeoutMs);
      if (!isLast && isBusy(thrown)) return false;
      waiting = waiting.slice(jobs.length);
      for (const { reject } of jobs) reject(unavailable(thrown));
    }
    return true;
  };

  const schedule = () => {
    scheduled = waiting.length > 0;
    if (scheduled) setImmediate(() => attempt(storeClock() + busyTimeoutMs));
  };

  const attempt = (until: number) => {
    if (waiting.length === 0 || flush(false, storeClock() >= until)) schedule();
    else void pause(pauseMs).then(() => attempt(until));
  };

  return {
    add: (work) =>
      new Promise((resolve, reject) => {
        const run = () => {
          const value = finish(connection, work());
          return () => resolve(value);
        };
        waiting.push({ run, reject });
        if (!scheduled) schedule();
      }),
    flush: () => {
      while (waiting.length > 0) flush(true, true);
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

function rollBack(connection: Connection, busyTimeoutMs: number) {
  try {
    connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}; ROLLBACK`);
  } catch {
    // there was no transaction any more, or no connection
  }
}
