// Where the runs of a trial are kept, said in a form that can be handed to another process.
import { DatabaseSync } from "node:sqlite";
import type { Store } from "airworthy";
import { postgres } from "airworthy/postgres";
import { sqlite } from "airworthy/sqlite";
import { Client } from "pg";

export type Place =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string; readonly schema: string };

/** A reader drives no runs, and gets in beside the worker of a file. */
export function openPlace(place: Place, role: "worker" | "reader" = "worker"): Store {
  if (place.kind === "sqlite") return sqlite(place.path, { role });
  return postgres(place.url, { schema: place.schema, connections: 4 });
}

/** Runs whose lines are not numbered 0, 1, 2 and so on, or are not as many as the store believes. */
const gapsIn = (runs: string, lines: string) =>
  `SELECT r.run_id AS run FROM ${runs} r LEFT JOIN ${lines} l ON l.run_id = r.run_id GROUP BY r.run_id, r.length
    HAVING count(l.seq) <> r.length OR min(l.seq) <> 0 OR max(l.seq) <> r.length - 1`;

/** Asked of the tables themselves, not of the store. */
export async function gappedRuns(place: Place): Promise<readonly string[]> {
  const rows = place.kind === "sqlite" ? fromFile(place.path) : await fromServer(place.url, place.schema);
  return rows.map(({ run }) => String(run));
}

function fromFile(path: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(gapsIn("runs", "lines")).all();
  } finally {
    database.close();
  }
}

async function fromServer(url: string, schema: string): Promise<readonly Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(gapsIn(`"${schema}".runs`, `"${schema}".lines`));
    return rows;
  } finally {
    await client.end();
  }
}
