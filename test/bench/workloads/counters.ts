// Holds that are made and settled, 64 at a time: all of one key, and of a thousand.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Counters, memoryStore, type Store, sliced } from "airworthy";
import { postgres } from "airworthy/postgres";
import { sqlite } from "airworthy/sqlite";
import { uuidv7 } from "uuidv7";
import { startServer } from "../../postgres/start-server.ts";

export interface CounterFigure {
  readonly what: string;
  readonly rows: number;
  /** Reservations made and settled in a second. */
  readonly pairs: number;
}

/** For how long each is measured; it has a third of that to get warm. */
export interface CounterEffort {
  readonly ms: number;
  readonly tell: (figure: CounterFigure) => void;
}

const [concurrency, manyRows] = [64, 1_000];
const holdMs = 600_000;

const timers = {
  now: () => Date.now(),
  after: (ms: number, run: () => void) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

let ids = 0;

/** How many pairs 64 at a time come to in so many ms. */
async function pairsIn(counters: Counters, rows: number, ms: number): Promise<number> {
  const until = performance.now() + ms;
  let pairs = 0;
  const work = async () => {
    while (performance.now() < until) {
      const id = `bench ${++ids}`;
      const key = `row ${(ids * 7_919) % rows}`;
      const { granted } = await counters.reserve(id, [{ key, amount: 1, limit: 1e15 }], holdMs);
      if (!granted) throw new Error("A reservation was refused far below its limit.");
      await counters.settle(id, { [key]: 1 });
      pairs += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return pairs;
}

async function measured({ ms, tell }: CounterEffort, what: string, counters: Counters, rows: number): Promise<CounterFigure> {
  await pairsIn(counters, rows, ms / 3);
  const startedAt = performance.now();
  const pairs = await pairsIn(counters, rows, ms);
  const figure = { what, rows, pairs: (pairs * 1_000) / (performance.now() - startedAt) };
  tell(figure);
  return figure;
}

async function both(effort: CounterEffort, what: string, { counters }: Store): Promise<readonly CounterFigure[]> {
  if (!counters) throw new Error(`${what} has no counters.`);
  return [await measured(effort, what, counters, 1), await measured(effort, what, counters, manyRows)];
}

async function onSqlite(effort: CounterEffort) {
  const folder = mkdtempSync(join(tmpdir(), "airworthy-bench-"));
  const store = sqlite(join(folder, "runs.db"));
  try {
    return await both(effort, "SQLite", store);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

async function onPostgres(effort: CounterEffort) {
  const server = startServer({ durable: true });
  const store = postgres(await server.url, { connections: 20 });
  const slices = sliced(store.counters, { shareOf: () => ({ amount: 1_000, forMs: 60_000 }), clock: timers, newId: uuidv7 });
  try {
    return [...(await both(effort, "Postgres", store)), await measured(effort, "Postgres, slices of 1,000", slices, 1)];
  } finally {
    await slices.close();
    await store.close();
    await server.stop();
  }
}

export const measureCounters = async (effort: CounterEffort): Promise<readonly CounterFigure[]> => [
  ...(await both(effort, "memory", memoryStore())),
  ...(await onSqlite(effort)),
  ...(await onPostgres(effort)),
];
