// The store in Postgres: any number of processes share it. Invariant: what was acknowledged is committed, and every append is fenced by epoch.
import { AgentError } from "../core/errors.ts";
import { loadPackage } from "../core/optional-package.ts";
import type { WholeStore } from "../core/store.ts";
import { type PostgresPool, postgresDatabase } from "./postgres-server/database.ts";
import { quickCounters } from "./postgres-server/quick-counters.ts";
import { sqlCounters } from "./sql/counters.ts";
import { sqlInbox, sqlRecords } from "./sql/records.ts";
import { conflict, type LineWriter, sqlJournal } from "./sql/runs.ts";
import { type Database, query, type Work } from "./sql/work.ts";

export type { PostgresClient, PostgresPool, PostgresQuery } from "./postgres-server/database.ts";

export interface PostgresOptions {
  /** The schema that holds the tables; made when it is not there. Default `airworthy`. */
  readonly schema?: string;
  /** How many connections there are at most; default 10. Of a pool of your own you have said so yourself. */
  readonly connections?: number;
  /** Whether statements are prepared once for each connection; default true. False for a proxy that mixes up connections. */
  readonly prepare?: boolean;
  /** The clock leases and holds run out by, in ms since the epoch; default the server's, so that processes need not agree. */
  readonly now?: () => number;
}

/** What holds when nothing is said. */
export const postgresDefaults = { schema: "airworthy", connections: 10, prepare: true } as const;

/**
 * A store on the server of this URL, or on a pool of yours (`Pool` of pg), which stays yours to end. Tables are made or brought up to
 * date with the first use. Throws `configuration_invalid` when a URL is given and pg is not installed; everything else is told by what is
 * asked of the store, as `journal_unavailable`.
 */
export function postgres(server: string | PostgresPool, options: PostgresOptions = {}): WholeStore {
  const { schema = postgresDefaults.schema, connections = postgresDefaults.connections } = options;
  const { prepare = postgresDefaults.prepare, now = () => null } = options;
  if (schema === "" || schema.includes("\0")) throw new AgentError("configuration_invalid", "postgres: `schema` is not a name.");
  const { pool, end } = typeof server === "string" ? ownPool(server, connections) : { pool: () => Promise.resolve(server), end: undefined };
  const database = postgresDatabase({ pool, schema, prepare, now });
  return {
    journal: sqlJournal(database, lineWriter(database)),
    counters: sqlCounters(database, quickCounters(database)),
    records: sqlRecords(database),
    inbox: sqlInbox(database),
    close: async () => {
      database.close();
      await end?.();
    },
  };
}

function ownPool(url: string, max: number) {
  const loaded = loadPackage("pg", "airworthy/postgres", () => import("pg"));
  let made: Promise<PostgresPool & { end(): Promise<void> }> | undefined;
  const make = async () => {
    const { Pool } = await loaded();
    const pool = new Pool({ connectionString: url, max, allowExitOnIdle: true, connectionTimeoutMillis: 10_000 });
    // A connection that breaks while nobody uses it is replaced; unheard, this would end the process.
    pool.on("error", () => {});
    return pool;
  };
  return { pool: () => (made ??= make()), end: async () => (await made)?.end() };
}

function lineWriter(database: Database): LineWriter {
  const { dialect, now } = database;
  const [runs, lines] = [dialect.table("runs"), dialect.table("lines")];
  // One statement, one way there and back: lines go in only where the run was still as it was said to be.
  const append = `WITH owned AS (
      UPDATE ${runs} SET length = length + $4, phase = $5, updated_at = ${dialect.instant("$7")}
      WHERE run_id = $1 AND epoch = $2 AND length = $3 RETURNING run_id
    ), added AS (
      INSERT INTO ${lines} (run_id, seq, line)
      SELECT run_id, $3 + position - 1, line FROM owned, unnest($6::text[]) WITH ORDINALITY AS given (line, position)
    ) SELECT run_id FROM owned`;
  return {
    add: function* (runId, from, given): Work<void> {
      const insert = `INSERT INTO ${lines} (run_id, seq, line)
        SELECT $1, $2 + position - 1, line FROM unnest($3::text[]) WITH ORDINALITY AS given (line, position)`;
      yield query(insert, [runId, from, given]);
    },
    append: async (runId, { epoch, sequence }, given, phase) => {
      const owned = await database.write(query(append, [runId, epoch, sequence, given.length, phase, given, now()]));
      if (owned.length === 0) throw conflict(runId);
    },
  };
}
