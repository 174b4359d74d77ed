// One open SQLite file by whichever driver, and the queries on it. Invariant: a statement is prepared once.
import { isObject } from "../../core/json.ts";
import type { Query, Row, Value } from "../sql/work.ts";

/** What is used of a driver's statement. */
interface SqliteStatement {
  all(...values: (string | number | null)[]): unknown[];
  run(...values: (string | number | null)[]): unknown;
}

/** What is used of a driver's database: node:sqlite and better-sqlite3 have it in common. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** A driver's class of databases: `Database` of better-sqlite3. */
export type SqliteDriver = new (path: string) => SqliteDatabase;

export interface Connection {
  run(query: Query): readonly Row[];
  exec(sql: string): void;
  close(): void;
}

export function openConnection(path: string, Driver: SqliteDriver): Connection {
  const database = new Driver(path);
  const prepared = new Map<string, (values: readonly Value[]) => readonly Row[]>();

  const prepare = (text: string) => {
    // `$1` would be a name to SQLite, and the two drivers differ in how numbered ones are given.
    const order: number[] = [];
    const statement = database.prepare(text.replaceAll(/\$(\d+)/g, (_, number) => (order.push(Number(number) - 1), "?")));
    const answers = /^\s*SELECT|^\s*PRAGMA|\bRETURNING\b/.test(text);
    return (values: readonly Value[]): readonly Row[] => {
      const given = order.map((position) => plain(values[position]));
      if (answers) return statement.all(...given).filter(isObject);
      statement.run(...given);
      return [];
    };
  };

  return {
    run: ({ text, values }) => {
      let run = prepared.get(text);
      if (!run) prepared.set(text, (run = prepare(text)));
      return run(values);
    },
    exec: (sql) => void database.exec(sql),
    close: () => void database.close(),
  };
}

const plain = (value: Value | undefined) => (typeof value === "string" || typeof value === "number" ? value : null);
