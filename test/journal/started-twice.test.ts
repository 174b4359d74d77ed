// Two processes that start the same run at the same moment: one wins, and the other is not told that the journal is broken.
import { createAgent, type Store } from "airworthy";
import { type PostgresPool, postgres } from "airworthy/postgres";
import { scriptedModel } from "airworthy/testing";
import type { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { dropSchema, newSchema, testPool } from "../postgres/database.ts";

const schema = newSchema();
let pool: Pool;
beforeAll(async () => void (pool = await testPool()));
afterAll(async () => {
  await dropSchema(pool, schema);
  await pool.end();
});

/** The pool as another process has it, where something happens right after it has looked for lines for the first time. */
function interrupted(happens: () => Promise<unknown>): PostgresPool {
  let looked = false;
  return {
    connect: () => pool.connect(),
    query: async (asked) => {
      const answer = await pool.query({ ...asked, values: [...(asked.values ?? [])] });
      if (!looked && asked.text.startsWith("SELECT line")) {
        looked = true;
        await happens();
      }
      return answer;
    },
  };
}

test("a run that is made while somebody looks for it is seen whole", async () => {
  const agentOn = (store: Store) => createAgent({ name: "a", store, model: scriptedModel(["Hello."]) });
  const winner = postgres(pool, { schema });
  const first = agentOn(winner);
  const loser = agentOn(
    postgres(
      interrupted(() => first.run("go", { runId: "r" })),
      { schema },
    ),
  );
  expect(await loser.run("go", { runId: "r" })).toMatchObject({ status: "completed", output: "Hello." });
});
