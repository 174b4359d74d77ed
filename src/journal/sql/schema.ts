// The tables of the SQL stores, as steps from nothing to the present. Invariant: a step that was released is never changed; new ones follow.
import { AgentError } from "../../core/errors.ts";
import { type Dialect, query, type Work, whole } from "./work.ts";

/** What one dialect says where the other would not understand it. */
export interface SchemaWords {
  /** The type of a text that is ordered by its bytes. */
  readonly key: string;
  /** A field of a line, as an expression. */
  readonly field: (name: string) => string;
  /** How a table is kept by its primary key alone, where the other would keep its rows elsewhere. */
  readonly byKey: string;
}

type Step = (table: Dialect["table"], words: SchemaWords) => readonly string[];

const steps: readonly Step[] = [
  (table, { key, field, byKey }) => [
    `CREATE TABLE ${table("runs")} (
      run_id ${key} PRIMARY KEY, agent TEXT NOT NULL, user_id TEXT, tenant TEXT, conversation_id TEXT, parent TEXT,
      phase TEXT NOT NULL, epoch BIGINT NOT NULL, length BIGINT NOT NULL,
      owner TEXT, lease_until BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)`,
    `CREATE INDEX runs_newest ON ${table("runs")} (created_at, run_id)`,
    `CREATE INDEX runs_free ON ${table("runs")} (agent, lease_until) WHERE phase = 'running'`,
    ...["user_id", "tenant", "conversation_id", "parent"].map(
      (column) => `CREATE INDEX runs_${column} ON ${table("runs")} (${column}, created_at) WHERE ${column} IS NOT NULL`,
    ),
    `CREATE TABLE ${table("lines")} (run_id ${key} NOT NULL, seq BIGINT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (run_id, seq))${byKey}`,
    // Worked out when somebody looks: writing costs nothing, and the store need not understand what it keeps.
    `CREATE VIEW ${table("entries")} AS SELECT run_id, seq, ${field("type")} AS type, ${field("key")} AS key, CAST(${field("at")} AS BIGINT) AS at, line
      FROM ${table("lines")}`,
    `CREATE TABLE ${table("counters")} (key ${key} PRIMARY KEY, used BIGINT NOT NULL, held BIGINT NOT NULL)`,
    `CREATE TABLE ${table("holds")} (id ${key} NOT NULL, key ${key} NOT NULL, amount BIGINT NOT NULL, expires_at BIGINT NOT NULL,
      settled BIGINT NOT NULL, PRIMARY KEY (id, key))`,
    `CREATE INDEX holds_open ON ${table("holds")} (key, expires_at) WHERE settled = 0`,
    `CREATE TABLE ${table("records")} (kind ${key} NOT NULL, id ${key} NOT NULL, version BIGINT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (kind, id))`,
    `CREATE TABLE ${table("inbox")} (run_id ${key} NOT NULL, id ${key} NOT NULL, position BIGINT NOT NULL, value TEXT NOT NULL,
      PRIMARY KEY (run_id, id), UNIQUE (run_id, position))`,
  ],
  // A settled hold is a row less, so there is nothing to mark any more.
  (table, { key }) => [
    `DELETE FROM ${table("holds")} WHERE settled <> 0`,
    `DROP INDEX ${table("holds_open")}`,
    `ALTER TABLE ${table("holds")} DROP COLUMN settled`,
    `CREATE INDEX holds_of_key ON ${table("holds")} (key, expires_at)`,
    `ALTER TABLE ${table("counters")} ADD COLUMN until_at BIGINT`,
    `ALTER TABLE ${table("counters")} ADD COLUMN run_id ${key}`,
    // Without `held`, though only those of which nothing is held are looked for: an index it is in would be written by every hold.
    `CREATE INDEX counters_until ON ${table("counters")} (until_at) WHERE until_at IS NOT NULL`,
    `CREATE INDEX counters_run ON ${table("counters")} (run_id) WHERE run_id IS NOT NULL`,
  ],
];

/**
 * Brings the schema from wherever it stands to the present; does nothing where it is there. Run it in one transaction that nobody else
 * runs at the same time. Throws `journal_format_unknown` when a newer release has been here.
 */
export function* migrate(table: Dialect["table"], words: SchemaWords): Work<void> {
  yield query(`CREATE TABLE IF NOT EXISTS ${table("schema_steps")} (step BIGINT PRIMARY KEY)`);
  const done = stepsDone(yield query(selectSteps(table)));
  for (const [position, step] of steps.slice(done).entries()) {
    for (const statement of step(table, words)) yield query(statement);
    yield query(`INSERT INTO ${table("schema_steps")} (step) VALUES ($1)`, [done + position + 1]);
  }
}

export const selectSteps = (table: Dialect["table"]): string => `SELECT count(*) AS done FROM ${table("schema_steps")}`;

/** How many steps a schema has behind it, from the rows of `selectSteps`. */
export function stepsDone([row]: readonly Readonly<Record<string, unknown>>[]): number {
  const done = row ? whole(row, "done") : 0;
  if (done <= steps.length) return done;
  throw new AgentError("journal_format_unknown", `The store has schema ${done}; this release knows up to ${steps.length}.`);
}

export const isPresent = (done: number): boolean => done === steps.length;
