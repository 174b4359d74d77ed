// Ten durable steps, on SQLite and on Postgres: against the loop by hand with the same bytes inserted into a bare table at the same points.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { memoryStore, type Store } from "airworthy";
import { postgres } from "airworthy/postgres";
import { sqlite } from "airworthy/sqlite";
import { Client } from "pg";
import { startServer } from "../../postgres/start-server.ts";
import { loopByHand } from "../loop-by-hand.ts";
import { best, type Effort, type Figure, interleaved, type Workload } from "../measure.ts";
import { agentOf, countingModel, ensureAnswer, oneByOne } from "../scripted-replies.ts";

const steps = 10;
const aim = 1.3;

type Batch = readonly string[];

/** What a run appends, write by write: the same for every run but for its id and the time. */
async function batchesOfARun(): Promise<readonly Batch[]> {
  const batches: Batch[] = [];
  const { journal } = memoryStore();
  const store: Store = {
    journal: {
      ...journal,
      append: (runId, at, lines, phase) => {
        batches.push([...lines]);
        return journal.append(runId, at, lines, phase);
      },
    },
  };
  ensureAnswer(await agentOf(countingModel(steps), { store }).run("go"));
  return batches;
}

/** The loop by hand, and then every batch as a commit of its own. */
const byHandWith = (insert: (batch: Batch) => void | Promise<void>, batches: readonly Batch[]) =>
  oneByOne(async () => {
    const answer = await loopByHand(countingModel(steps));
    for (const batch of batches) await insert(batch);
    return answer;
  });

async function compared(effort: Effort, what: string, store: Store, insert: (batch: Batch) => void | Promise<void>): Promise<Figure> {
  const agent = agentOf(countingModel(steps), { store });
  const batches = await batchesOfARun();
  const times = await interleaved(
    effort,
    60,
    oneByOne(() => agent.run("go")),
    byHandWith(insert, batches),
  );
  const byHand = best(times.byHand) / steps;
  return { what, unit: "us per step", ours: best(times.ours) / steps, byHand, aim: aim * byHand };
}

async function onSqlite(effort: Effort): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), "airworthy-bench-"));
  const bare = new DatabaseSync(join(folder, "bare.db"));
  bare.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE lines (seq INTEGER PRIMARY KEY, line TEXT NOT NULL)");
  const statement = bare.prepare("INSERT INTO lines (line) VALUES (?)");
  const insert = (batch: Batch) => {
    bare.exec("BEGIN IMMEDIATE");
    for (const line of batch) statement.run(line);
    bare.exec("COMMIT");
  };
  const store = sqlite(join(folder, "runs.db"));
  try {
    return await compared(effort, "10-step loop kept in SQLite", store, insert);
  } finally {
    await store.close?.();
    bare.close();
    rmSync(folder, { recursive: true });
  }
}

async function onPostgres(effort: Effort): Promise<Figure> {
  const server = startServer({ durable: true });
  const url = await server.url;
  const store = postgres(url);
  const bare = new Client({ connectionString: url });
  try {
    await bare.connect();
    await bare.query("CREATE TABLE bare (seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, line TEXT NOT NULL)");
    const insert = async (batch: Batch) => {
      const text = `INSERT INTO bare (line) VALUES ${batch.map((_, position) => `($${position + 1})`).join(", ")}`;
      await bare.query({ name: `insert-${batch.length}`, text, values: [...batch] });
    };
    return await compared(effort, "10-step loop kept in Postgres", store, insert);
  } finally {
    await bare.end();
    await store.close?.();
    await server.stop();
  }
}

export const durable: Workload = {
  name: "durable",
  measure: async (effort) => [await onSqlite(effort), await onPostgres(effort)],
};
