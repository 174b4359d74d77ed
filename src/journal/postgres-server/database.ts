// Statements and transactions over a pool of connections. Invariant: a transaction waits for no second connection, so a pool of one will do.
import { createHash } from "node:crypto";
import { AgentError } from "../../core/errors.ts";
import { isObject } from "../../core/json.ts";
import { isPresent, migrate, selectSteps, stepsDone } from "../sql/schema.ts";
import { type Database, type Dialect, type Query, query, type Row, unavailable, type Value, type Work } from "../sql/work.ts";

export interface PostgresQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: unknown[];
}

/** What is used of a pool: `Pool` of pg has it. */
export interface PostgresPool {
  query(query: PostgresQuery): Promise<{ readonly rows: unknown[] }>;
  connect(): Promise<PostgresClient>;
}

/** What is used of a connection from a pool. */
export interface PostgresClient {
  query(query: PostgresQuery): Promise<{ readonly rows: unknown[] }>;
  release(destroy?: boolean): void;
}

interface DatabaseParts {
  readonly pool: () => Promise<PostgresPool>;
  readonly schema: string;
  readonly prepare: boolean;
  readonly now: () => number | null;
}

type Run = (on: Pick<PostgresClient, "query">, asked: Query) => Promise<readonly Row[]>;

export function postgresDatabase({ pool, schema, prepare, now }: DatabaseParts): Database & { close(): void } {
  const run = runner(prepare);
  const dialect = dialectOf(schema);
  let opened: Promise<PostgresPool> | undefined;
  let closed = false;

  const open = async () => {
    const found = await pool();
    await bringUpToDate(found, { run, dialect, schema });
    return found;
  };
  // A server that is not there yet may be there when somebody asks again.
  const ready = () => (opened ??= open().catch((thrown: unknown) => ((opened = undefined), Promise.reject(unavailable(thrown)))));

  const whileOpen = async <T>(use: (found: PostgresPool) => Promise<T>): Promise<T> => {
    if (closed) throw new AgentError("journal_unavailable", "The store is closed.");
    try {
      return await use(await ready());
    } catch (thrown) {
      throw unavailable(thrown);
    }
  };

  const one = (asked: Query) => whileOpen((found) => run(found, asked));
  return {
    dialect,
    now,
    read: one,
    write: one,
    transact: (work) => whileOpen((found) => transact(found, run, work)),
    close: () => {
      closed = true;
    },
  };
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

function dialectOf(schema: string): Dialect {
  return {
    table: (name) => `${quoted(schema)}.${name}`,
    instant: (placeholder) => `coalesce(${placeholder}::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)`,
    forUpdate: "FOR UPDATE",
    forUpdateOfFree: "FOR UPDATE SKIP LOCKED",
    alone: (name) => query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`airworthy ${schema} ${name}`]),
  };
}

function runner(prepare: boolean): Run {
  const names = new Map<string, string>();
  const nameOf = (text: string) => {
    let name = names.get(text);
    // By what it says: two stores may share a pool, and one connection must not have two statements of one name.
    if (name === undefined) names.set(text, (name = `airworthy_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`));
    return name;
  };
  return async (on, { text, values }) => {
    const given: unknown[] = values.map((value: Value) => value);
    const { rows } = await on.query(prepare ? { name: nameOf(text), text, values: given } : { text, values: given });
    return rows.filter(isObject);
  };
}

async function transact<T>(pool: PostgresPool, run: Run, work: () => Work<T>): Promise<T> {
  const client = await pool.connect();
  let broken = true;
  try {
    // What the role or the server takes for a default must not be another level: decisions rest on reading after locking.
    await client.query({ text: "BEGIN ISOLATION LEVEL READ COMMITTED" });
    const value = await finish(client, run, work()).catch(async (thrown: unknown) => {
      await client.query({ text: "ROLLBACK" });
      broken = false;
      throw thrown;
    });
    await client.query({ text: "COMMIT" });
    broken = false;
    return value;
  } finally {
    client.release(broken);
  }
}

async function finish<T>(client: PostgresClient, run: Run, work: Work<T>): Promise<T> {
  let step = work.next([]);
  while (!step.done) step = work.next(await run(client, step.value));
  return step.value;
}

interface SchemaParts {
  readonly run: Run;
  readonly dialect: Dialect;
  readonly schema: string;
}

async function bringUpToDate(pool: PostgresPool, { run, dialect, schema }: SchemaParts) {
  // Postgres unescapes a whole text to find one field of it, and refuses escapes that JSON allows: \u0000, half a surrogate pair.
  const words = { key: 'TEXT COLLATE "C"', field: (name: string) => `(replace(line, '\\u', '/u')::json ->> '${name}')`, byKey: "" };
  // Looked at first: where nothing is to be done, no right to make tables is needed.
  const [there] = await run(pool, query("SELECT to_regclass($1) IS NOT NULL AS there", [dialect.table("schema_steps")]));
  if (there?.["there"] === true && isPresent(stepsDone(await run(pool, query(selectSteps(dialect.table)))))) return;
  const plain = runner(false);
  await transact(pool, plain, function* () {
    if (dialect.alone) yield dialect.alone("schema");
    yield query(`CREATE SCHEMA IF NOT EXISTS ${quoted(schema)}`);
    yield* migrate(dialect.table, words);
  });
}
