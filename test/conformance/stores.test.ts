// Every store against the one suite that users can run on theirs.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "airworthy";
import { type SqliteOptions, sqlite } from "airworthy/sqlite";
import { type StoreFor, storeConformance } from "airworthy/testing";
import BetterSqlite3 from "better-sqlite3";
import { describe, expect, test } from "vitest";

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

const stores: Readonly<Record<string, StoreFor>> = {
  memory: () => {
    const { now, advance } = clock();
    return { store: memoryStore({ now }), advance };
  },
  "SQLite, node:sqlite": inFile({}),
  "SQLite, better-sqlite3": inFile({ driver: BetterSqlite3 }),
};

describe.each(Object.entries(stores))("%s", (_, storeFor) => {
  test.each(storeConformance(storeFor))("$name", async (conformance) => {
    await expect(conformance.run()).resolves.toBeUndefined();
  });
});
