// The journal's runs in SQL: who owns one, until when, and how runs are found. Lines are added by the dialects, each in its own best way.
import { AgentError } from "../../core/errors.ts";
import type { Claim, Journal, Lease, RunHeader, RunPhase, RunQuery, RunSummary } from "../../core/store.ts";
import { type Database, optional, query, type Row, text, type Value, type Work, whole } from "./work.ts";

/** How the dialect adds lines: to `create` in its transaction, and to a run that is there. */
export interface LineWriter {
  add(runId: string, from: number, lines: readonly string[]): Work<void>;
  append: Journal["append"];
}

/** So many leases go into one statement. */
const renewedAtOnce = 500;
const mostFound = 1_000;

export function sqlJournal(database: Database, writer: LineWriter): Required<Journal> {
  const { dialect, now } = database;
  const runs = dialect.table("runs");
  const lines = dialect.table("lines");

  const read = async (runId: string) =>
    (await database.read(query(`SELECT line FROM ${lines} WHERE run_id = $1 ORDER BY seq`, [runId]))).map((row) => text(row, "line"));

  return {
    create: (header, first, lease) => database.transact(() => create(database, writer, { header, first, lease })),
    claim: async (runId, lease, condition): Promise<Claim | undefined> => {
      const at = dialect.instant("$4");
      const [row] = await database.write(
        query(
          `UPDATE ${runs} SET epoch = epoch + 1, owner = $2, lease_until = ${at} + $3 WHERE run_id = $1
            ${condition ? `AND phase = 'running' AND lease_until <= ${at}` : ""} RETURNING epoch`,
          [runId, lease?.owner ?? null, lease?.forMs ?? 0, now()],
        ),
      );
      // Read afterwards, in a statement of its own: from here on nobody else can add any. One statement would see what was before it.
      return row && { epoch: whole(row, "epoch"), lines: await read(runId) };
    },
    load: async (runId) => {
      const found = await read(runId);
      if (found.length > 0) return found;
      const rows = await database.read(query(`SELECT 1 AS one FROM ${runs} WHERE run_id = $1`, [runId]));
      // Read again: it may have been made in between, and its first lines came with it.
      return rows.length > 0 ? read(runId) : undefined;
    },
    append: writer.append,
    renew: async (held, forMs) => {
      const kept = new Set<string>();
      for (let from = 0; from < held.length; from += renewedAtOnce) {
        for (const row of await database.write(renew(database, held.slice(from, from + renewedAtOnce), forMs)))
          kept.add(text(row, "run_id"));
      }
      return held.map(({ runId }) => runId).filter((runId) => !kept.has(runId));
    },
    release: async (runId, epoch) => {
      const at = dialect.instant("$3");
      await database.write(query(`UPDATE ${runs} SET lease_until = ${at} WHERE run_id = $1 AND epoch = $2`, [runId, epoch, now()]));
    },
    free: async (agent, limit) => {
      const select = `SELECT run_id FROM ${runs} WHERE agent = $1 AND parent IS NULL AND phase = 'running' AND lease_until <= ${dialect.instant("$3")}
        ORDER BY lease_until, run_id LIMIT $2`;
      return (await database.read(query(select, [agent, limit, now()]))).map((row) => text(row, "run_id"));
    },
    find: async (wanted) => (await database.read(find(runs, wanted))).map(summaryOf),
  };
}

interface NewRun {
  readonly header: RunHeader;
  readonly first: readonly string[];
  readonly lease: Lease | undefined;
}

function* create({ dialect, now }: Database, writer: LineWriter, { header, first, lease }: NewRun): Work<boolean> {
  const { runId, agent, user = null, tenant = null, conversationId = null, parent = null } = header;
  const at = dialect.instant("$10");
  const made = yield query(
    `INSERT INTO ${dialect.table("runs")}
        (run_id, agent, user_id, tenant, conversation_id, parent, phase, epoch, length, owner, lease_until, created_at, updated_at)
      VALUES ($1, $2, $3, $4, $5, $6, 'running', 1, $7, $8, ${at} + $9, ${at}, ${at}) ON CONFLICT (run_id) DO NOTHING RETURNING run_id`,
    [runId, agent, user, tenant, conversationId, parent, first.length, lease?.owner ?? null, lease?.forMs ?? 0, now()],
  );
  if (made.length === 0) return false;
  yield* writer.add(runId, 0, first);
  return true;
}

function renew({ dialect, now }: Database, held: readonly { readonly runId: string; readonly epoch: number }[], forMs: number) {
  const pairs = held.map((_, position) => `(CAST($${2 * position + 3} AS TEXT), CAST($${2 * position + 4} AS BIGINT))`);
  return query(
    `UPDATE ${dialect.table("runs")} SET lease_until = ${dialect.instant("$1")} + $2
      WHERE (run_id, epoch) IN (VALUES ${pairs.join(", ")}) RETURNING run_id`,
    [now(), forMs, ...held.flatMap(({ runId, epoch }) => [runId, epoch])],
  );
}

function find(runs: string, { limit = 100, after, ...wanted }: RunQuery) {
  const columns = [
    ["agent", wanted.agent],
    ["user_id", wanted.user],
    ["tenant", wanted.tenant],
    ["conversation_id", wanted.conversationId],
    ["parent", wanted.parent],
    ["phase", wanted.phase],
  ] as const;
  const values: Value[] = [Math.min(limit, mostFound)];
  const conditions = columns.flatMap(([column, value]) => (value === undefined ? [] : [`${column} = $${values.push(value)}`]));
  if (after !== undefined) {
    conditions.push(`(created_at, run_id) < (SELECT created_at, run_id FROM ${runs} WHERE run_id = $${values.push(after)})`);
  }
  const where = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
  return query(`SELECT * FROM ${runs} ${where} ORDER BY created_at DESC, run_id DESC LIMIT $1`, values);
}

function summaryOf(row: Row): RunSummary {
  const [user, tenant] = [optional(row, "user_id"), optional(row, "tenant")];
  const [conversationId, parent] = [optional(row, "conversation_id"), optional(row, "parent")];
  return {
    runId: text(row, "run_id"),
    agent: text(row, "agent"),
    ...(user !== undefined && { user }),
    ...(tenant !== undefined && { tenant }),
    ...(conversationId !== undefined && { conversationId }),
    ...(parent !== undefined && { parent }),
    phase: phaseOf(text(row, "phase")),
    createdAt: whole(row, "created_at"),
    updatedAt: whole(row, "updated_at"),
  };
}

const phaseOf = (word: string): RunPhase => (word === "running" || word === "stopped" ? word : "ended");

export const conflict = (runId: string): AgentError =>
  new AgentError("journal_conflict", `The run ${runId} is owned by someone else.`, { details: { runId } });
