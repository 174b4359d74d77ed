// What the SQL stores ask of a database, in words both dialects know. Invariant: a piece of work is written once, and each driver runs it.
import { AgentError } from "../../core/errors.ts";

export type Value = string | number | null | readonly string[];

/** One statement, with `$1`, `$2` … for its values. */
export interface Query {
  readonly text: string;
  readonly values: readonly Value[];
}

export type Row = Readonly<Record<string, unknown>>;

/** Statements of which each may depend on what the one before has answered; yields a query, is sent its rows. */
export type Work<T> = Generator<Query, T, readonly Row[]>;

/** Where the two databases differ. */
export interface Dialect {
  /** How a table is called in a statement. */
  readonly table: (name: string) => string;
  /** The present in ms, as an expression; `placeholder` stands for what `Database.now` answers. */
  readonly instant: (placeholder: string) => string;
  /** What a SELECT ends with whose rows nobody else may change until the transaction is over. */
  readonly forUpdate: string;
  /** The same, leaving out the rows somebody else has locked. */
  readonly forUpdateOfFree: string;
  /** Makes all transactions that do this with the same name go one after the other, where they do not anyway. */
  readonly alone?: (name: string) => Query;
}

export interface Database {
  readonly dialect: Dialect;
  /** Null where the database's own clock is the clock. */
  readonly now: () => number | null;
  /** One statement that changes nothing. */
  read(query: Query): Promise<readonly Row[]>;
  /** One statement that changes something, by itself all or nothing. */
  write(query: Query): Promise<readonly Row[]>;
  /** All or nothing, as if alone. */
  transact<T>(work: () => Work<T>): Promise<T>;
}

export const query = (statement: string, values: readonly Value[] = []): Query => ({ text: statement, values });

/** `$2, $3, $4` for three from 2 on. */
export const placeholders = (count: number, from: number): string =>
  Array.from({ length: count }, (_, position) => `$${position + from}`).join(", ");

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw new AgentError("journal_corrupt", `The column ${column} holds no text.`);
}

/** Postgres answers large integers as text. */
export function whole(row: Row, column: string): number {
  const value = Number(row[column] ?? Number.NaN);
  if (Number.isSafeInteger(value)) return value;
  throw new AgentError("journal_corrupt", `The column ${column} holds no whole number.`);
}

/** Undefined where there is nothing. */
export function optional(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

/** What a driver throws, as an error of ours; its own is the cause. */
export function unavailable(thrown: unknown): AgentError {
  if (AgentError.is(thrown)) return thrown;
  return new AgentError("journal_unavailable", "The store could not be read or written.", { cause: thrown });
}
