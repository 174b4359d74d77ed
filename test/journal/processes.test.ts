// Stores that several processes share, with real processes: who gets in, what a killed one leaves behind, and a start of many at once.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { postgres } from "airworthy/postgres";
import { sqlite } from "airworthy/sqlite";
import type { Pool } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dropSchema, newSchema, postgresUrl, testPool } from "../postgres/database.ts";

const script = join(import.meta.dirname, "store-process.ts");

interface Other {
  readonly pid: number | undefined;
  readonly stdin: ChildProcessWithoutNullStreams["stdin"];
  /** What it says next, or undefined when it is over. */
  readonly line: () => Promise<string | undefined>;
  /** Ends it at once; answers everything it had still said. */
  readonly kill: () => Promise<readonly string[]>;
}

const running = new Set<ChildProcessWithoutNullStreams>();

function start(...args: readonly string[]): Other {
  const child = spawn(process.execPath, ["--conditions=airworthy-source", script, ...args]);
  running.add(child);
  child.stderr.pipe(process.stderr);
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => (await lines.next()).value;
  const kill = async () => {
    child.kill("SIGKILL");
    const rest: string[] = [];
    for (let said = await line(); said !== undefined; said = await line()) rest.push(said);
    await closed;
    running.delete(child);
    return rest;
  };
  return { pid: child.pid, stdin: child.stdin, line, kill };
}

let folder = "";
let file = "";
let schema = "";
let url = "";
let pool: Pool;

beforeAll(async () => {
  url = await postgresUrl();
  pool = await testPool();
}, 60_000);
afterAll(() => pool.end());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "airworthy-processes-"));
  file = join(folder, "runs.db");
  schema = newSchema();
});
afterEach(async () => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
  rmSync(folder, { recursive: true });
  await dropSchema(pool, schema);
});

/** Kills a process in the middle of its appends, once it has said so many lines; answers the number it has acknowledged. */
async function killedWhileAppending(other: Other, after: number): Promise<number> {
  let last = "";
  for (let said = 0; said < after; said++) last = (await other.line()) ?? "over";
  return Number((await other.kill()).at(-1) ?? last);
}

const numbers = (lines: readonly string[] = []) => lines.map((line) => JSON.parse(line).n);
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

describe("a SQLite file", () => {
  test("has one worker, and says which process; readers get in beside it", { timeout: 30_000 }, async () => {
    const worker = start("append", "worker", file);
    await worker.line();
    expect(() => sqlite(file)).toThrow(expect.objectContaining({ code: "store_locked", details: { path: file, pid: worker.pid } }));

    const reader = sqlite(file, { role: "reader" });
    const seen: number[] = [];
    for (let n = 0; n < 50; n++) {
      expect(await reader.inbox.post("r", `${n}`, { n })).toBe(true);
      expect(await reader.records.put("k", `${n}`, n, 0)).toBe(true);
      const lines = numbers(await reader.journal.load("r"));
      expect(lines).toEqual(upTo(lines.length));
      seen.push(lines.length);
      await worker.line();
    }
    expect(await reader.inbox.read("r")).toHaveLength(50);
    expect(seen.at(-1)).toBeGreaterThan(seen[0] ?? 0);
    expect((await reader.journal.find({}))[0]).toMatchObject({ runId: "r", phase: "running" });
    await worker.kill();
    await reader.close();
  });

  test("three readers spend one budget beside a busy worker, to the last unit and no further", { timeout: 30_000 }, async () => {
    const worker = start("append", "worker", file);
    await worker.line();
    const deciders = upTo(3).map(() => start("spend", "reader", file));
    for (const decider of deciders) expect(await decider.line()).toBe("ready");
    for (const { stdin } of deciders) stdin.end("go\n");
    const granted = await Promise.all(deciders.map(async (decider) => Number(await decider.line())));
    const reader = sqlite(file, { role: "reader" });
    expect(granted.reduce((sum, one) => sum + one, 0)).toBe(100);
    expect(await reader.counters.read(["budget"])).toEqual([{ used: 200, held: 0 }]);
    expect(await reader.counters.open("")).toEqual([]);
    expect(numbers(await reader.journal.load("r")).length).toBeGreaterThan(4);
    await worker.kill();
    await reader.close();
  });

  test("a reader drives no runs", async () => {
    await sqlite(file).close();
    const { journal, close } = sqlite(file, { role: "reader" });
    const refused = expect.objectContaining({ code: "configuration_invalid" });
    await expect(journal.create({ runId: "r", agent: "a" }, [])).rejects.toEqual(refused);
    await expect(journal.claim("r")).rejects.toEqual(refused);
    await expect(journal.append("r", { epoch: 1, sequence: 0 }, ["x"], "running")).rejects.toEqual(refused);
    await expect(journal.free("a", 1)).rejects.toEqual(refused);
    await close();
  });

  test("is free for the next worker as soon as one is killed or closed", { timeout: 30_000 }, async () => {
    const worker = start("hold", "worker", file);
    expect(await worker.line()).toBe("0");
    expect(() => sqlite(file)).toThrow(expect.objectContaining({ code: "store_locked" }));
    await worker.kill();
    const next = sqlite(file);
    expect(() => sqlite(file)).toThrow(expect.objectContaining({ code: "store_locked", details: { path: file, pid: process.pid } }));
    await next.close();
    await next.close();
    await sqlite(file).close();
  });

  test("what was acknowledged before a kill -9 is there, in order and without a gap", { timeout: 60_000 }, async () => {
    for (const after of [3, 57, 211]) {
      const path = `${file}-${after}`;
      const acknowledged = await killedWhileAppending(start("append", "worker", path), after);
      const store = sqlite(path);
      const lines = numbers((await store.journal.claim("r"))?.lines);
      expect(acknowledged).toBeGreaterThanOrEqual(4 * (after - 1));
      expect(lines.length).toBeGreaterThan(acknowledged);
      expect(lines).toEqual(upTo(lines.length));
      expect(lines.length % 4).toBe(1); // Batches are there whole or not at all.
      await store.journal.append("r", { epoch: 2, sequence: lines.length }, ["{}"], "ended");
      await store.close();
    }
  });

  test("keeps nothing of a write that fails half-way, and everything of those in the same commit", async () => {
    const { journal, close } = sqlite(file);
    for (const runId of ["a", "b", "c"]) await journal.create({ runId, agent: "a" }, []);
    const broken: string[] = JSON.parse('["{}", null]');
    const append = async (runId: string) => journal.append(runId, { epoch: 1, sequence: 0 }, runId === "b" ? broken : ["{}"], "ended");
    const told = await Promise.allSettled(["a", "b", "c"].map(append));
    expect(told.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(told[1]).toMatchObject({ reason: { code: "journal_unavailable" } });
    expect([await journal.load("a"), await journal.load("b"), await journal.load("c")]).toEqual([["{}"], [], ["{}"]]);
    expect((await journal.find({ phase: "running" })).map(({ runId }) => runId)).toEqual(["b"]);
    await close();
  });

  test("is written so that the disk has it before anybody is told", async () => {
    const statements: string[] = [];
    const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
    class Watched extends DatabaseSync {
      override exec(sql: string) {
        statements.push(sql);
        super.exec(sql);
      }
      override prepare(sql: string) {
        const statement = super.prepare(sql);
        const run = statement.run.bind(statement);
        const watched = (...values: Parameters<typeof run>) => {
          statements.push(sql);
          return run(...values);
        };
        return Object.assign(statement, { run: watched });
      }
    }
    const store = sqlite(file, { driver: Watched });
    expect(statements).toContain("PRAGMA synchronous = FULL");
    statements.length = 0;
    const ids = upTo(20).map((n) => `r${n}`);
    await Promise.all(ids.map((runId) => store.journal.create({ runId, agent: "a" }, [])));
    const append = async (runId: string, n: number) =>
      store.journal.append(runId, { epoch: n === 7 ? 9 : 1, sequence: 0 }, ["{}"], "running");
    const told = await Promise.allSettled(ids.map(append));
    expect(told.flatMap(({ status }, n) => (status === "rejected" ? [n] : []))).toEqual([7]);
    expect(statements.filter((sql) => sql === "COMMIT")).toHaveLength(2); // One for each turn, not one for each run.
    expect(existsSync(`${file}-wal`)).toBe(true);
    await store.close();
  });
});

describe("Postgres", () => {
  test("what was acknowledged before a kill -9 is there, in order and without a gap", { timeout: 60_000 }, async () => {
    const store = postgres(pool, { schema });
    for (const after of [3, 57, 211]) {
      const acknowledged = await killedWhileAppending(start("append", "postgres", url, schema), after);
      const lines = numbers((await store.journal.claim("r"))?.lines);
      expect(lines.length).toBeGreaterThan(acknowledged);
      expect(lines).toEqual(upTo(lines.length));
      expect(lines.length % 4).toBe(1);
      await pool.query(`TRUNCATE "${schema}".runs, "${schema}".lines`);
    }
  });

  test("a URL is enough; a server that is not there is told, and asked again", { timeout: 30_000 }, async () => {
    const nowhere = postgres("postgresql://127.0.0.1:1/none", { schema });
    for (const _ of [1, 2]) await expect(nowhere.journal.load("r")).rejects.toMatchObject({ code: "journal_unavailable" });
    await nowhere.close();
    const store = postgres(url, { schema, connections: 2 });
    expect(await store.journal.create({ runId: "r", agent: "a" }, ["{}"], { owner: "w", forMs: 60_000 })).toBe(true);
    expect(await store.journal.claim("r", { owner: "v", forMs: 1 }, "ifFree")).toBeUndefined(); // By the server's own clock.
    await store.close();
    await expect(store.journal.load("r")).rejects.toMatchObject({ code: "journal_unavailable" });
  });

  test("a role that may not make tables can use those that are there", async () => {
    await postgres(pool, { schema }).journal.load("r");
    const role = `${schema}_role`;
    await pool.query(`CREATE ROLE ${role}`);
    await pool.query(`GRANT USAGE ON SCHEMA ${schema} TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO ${role}`);
    const limited = await testPool({ options: `-c role=${role}` });
    expect(await postgres(limited, { schema }).journal.create({ runId: "r", agent: "a" }, ["{}"])).toBe(true);
    await limited.end();
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });
});

describe.each([
  ["a SQLite file", () => ["reader", file]],
  ["Postgres", () => ["postgres", url, schema]],
] as const)("%s that nobody has used yet", (kind, where) => {
  test("is opened by four processes at once", { timeout: 30_000 }, async () => {
    const others = upTo(4).map(() => start("start", ...where()));
    for (const other of others) expect(await other.line()).toBe("ready");
    for (const { stdin } of others) stdin.end("go\n");
    for (const other of others) expect(await other.line()).toBe("true true");
    for (const other of others) expect(await other.line()).toBeUndefined();
    const store = kind === "Postgres" ? postgres(pool, { schema }) : sqlite(file);
    expect(await store.records.list("k", { limit: 9 })).toHaveLength(4);
    expect((await store.inbox.read("r")).map(({ position }) => position)).toEqual([1, 2, 3, 4]);
    if (kind !== "Postgres") await store.close();
  });

  test("of a newer release is left alone", async () => {
    const make = () => (kind === "Postgres" ? postgres(pool, { schema }) : sqlite(file));
    const store = make();
    await store.journal.load("r");
    if (kind === "Postgres") await pool.query(`INSERT INTO "${schema}".schema_steps VALUES (99)`);
    else {
      await store.close();
      const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
      const database = new DatabaseSync(file);
      database.exec("INSERT INTO schema_steps VALUES (99)");
      database.close();
    }
    const open = async () => make().journal.load("r");
    await expect(open()).rejects.toMatchObject({ code: "journal_format_unknown" });
  });
});

test.each(["sqlite", "postgres"])("entries can be looked at with SQL: %s", async (kind) => {
  const store = kind === "sqlite" ? sqlite(file) : postgres(pool, { schema });
  const line = '{"type":"step.done","at":1700000000123,"key":"turn-1/model","text":"\\u0000 \\\\u0000 \\ud800"}';
  await store.journal.create({ runId: "r", agent: "a" }, [line]);
  const expected = { run_id: "r", type: "step.done", key: "turn-1/model", line };
  const select = "SELECT run_id, type, key, line FROM";
  if (kind === "postgres") {
    expect((await pool.query(`${select} "${schema}".entries WHERE at = 1700000000123`)).rows).toEqual([expected]);
    return;
  }
  await store.close();
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const database = new DatabaseSync(file, { readOnly: true });
  expect({ ...database.prepare(`${select} entries WHERE at = 1700000000123`).get() }).toEqual(expected);
  database.close();
});
