// Where the runs of a trial are kept, said in a form that can be handed to another process.
import { DatabaseSync } from "node:sqlite";
import type { Store } from "airworthy";
import { sqlite } from "airworthy/sqlite";

export interface Place {
  readonly kind: "sqlite";
  readonly path: string;
}

export const openPlace = (place: Place): Required<Store> => sqlite(place.path);

/** Runs whose lines are not numbered 0, 1, 2 and so on, or are not as many as the store believes. */
const gapsIn = (runs: string, lines: string) =>
  `SELECT r.run_id AS run FROM ${runs} r LEFT JOIN ${lines} l ON l.run_id = r.run_id GROUP BY r.run_id, r.length
    HAVING count(l.seq) <> r.length OR min(l.seq) <> 0 OR max(l.seq) <> r.length - 1`;

/** Asked of the tables themselves, not of the store. */
export function gappedRuns(place: Place): readonly string[] {
  const database = new DatabaseSync(place.path, { readOnly: true });
  try {
    return database
      .prepare(gapsIn("runs", "lines"))
      .all()
      .map(({ run }) => String(run));
  } finally {
    database.close();
  }
}
