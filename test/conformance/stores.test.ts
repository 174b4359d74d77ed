// Every store against the one suite that users can run on theirs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { createPgConfig } from "@electric-sql/pglite/node-postgres";
import { memoryStore } from "airworthy";
import { type PostgresOptions, postgres } from "airworthy/postgres";
import { type SqliteOptions, sqlite } from "airworthy/sqlite";
import { type StoreFor, storeConformance } from "airworthy/testing";
import BetterSqlite3 from "better-sqlite3";
import { Pool } from "pg";
import { afterAll, describe, expect, test } from "vitest";
import { dropSchema, newSchema, testPool } from "../postgres/database.ts";

function clock() {
  let at = 1_700_000_000_000;
  return { now: () => at, advance: (ms: number) => void (at += ms) };
}

const inFile = (options: SqliteOptions): StoreFor => {
  return () => {
    const folder = mkdtempSync(join(tmpdir(), "airworthy-stores-"));
    const { now, advance } = clock();
    const store = sqlite(join(folder, "runs.db"), { now, ...options });
    return { store, advance, remove: () => rmSync(folder, { recursive: true }) };
  };
};

const lite = new PGlite();
const litePool = new Pool(createPgConfig(lite));
const realPool = await testPool();
afterAll(async () => {
  await Promise.all([litePool.end(), realPool.end()]);
  await lite.close();
});

const onServer = (pool: Pool, options: PostgresOptions = {}): StoreFor => {
  return () => {
    const schema = newSchema();
    const { now, advance } = clock();
    return { store: postgres(pool, { schema, now, ...options }), advance, remove: () => dropSchema(pool, schema) };
  };
};

const stores: Readonly<Record<string, StoreFor>> = {
  memory: () => {
    const { now, advance } = clock();
    return { store: memoryStore({ now }), advance };
  },
  "SQLite, node:sqlite": inFile({}),
  "SQLite, better-sqlite3": inFile({ driver: BetterSqlite3 }),
  "Postgres, PGlite": onServer(litePool),
  "Postgres, a real one": onServer(realPool),
  "Postgres, a real one without prepared statements": onServer(realPool, { prepare: false }),
};

describe.each(Object.entries(stores))("%s", (_, storeFor) => {
  test.each(storeConformance(storeFor))("$name", { timeout: 30_000 }, async (conformance) => {
    await expect(conformance.run()).resolves.toBeUndefined();
  });
});
