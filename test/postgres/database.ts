// The Postgres of this run of the tests, and schemas in it that no other test sees.
import { randomUUID } from "node:crypto";
import { Pool, type PoolConfig } from "pg";
import { inject } from "vitest";

/** Starts the server when nobody has yet. */
export async function postgresUrl(): Promise<string> {
  const answer = await fetch(inject("postgresDoor"));
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}

export const newSchema = () => `test_${randomUUID().replaceAll("-", "")}`;

/** A pool on the server of this run of the tests, for a test file to end. */
export async function testPool(options: PoolConfig = {}): Promise<Pool> {
  return new Pool({ connectionString: await postgresUrl(), ...options });
}

export const dropSchema = async (pool: Pool, schema: string) => {
  await pool.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
};
