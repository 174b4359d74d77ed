// Fifty tools cost the compiler little more than their schemas do. Counted, not timed: test/types/type-time.ts is for that.
import { afterAll, describe, expect, test } from "vitest";
import { type Library, libraries } from "./fifty-tools.ts";
import { createFixtures, typeCost } from "./type-cost.ts";

const project = await createFixtures();
afterAll(project.remove);

/** What all fifty tools, an agent and its run may add to inferring the inputs from the schemas: a quarter more than they do today. */
const most: Readonly<Record<Library, { readonly instantiations: number; readonly types: number }>> = {
  "zod 4": { instantiations: 15_000, types: 3_300 },
  valibot: { instantiations: 9_500, types: 1_850 },
  arktype: { instantiations: 52_500, types: 4_000 },
  "JSON Schema": { instantiations: 2_300, types: 5_700 },
};

describe.each(libraries)("fifty tools with %s", (library) => {
  test("add few types to those inferred from the schemas", { timeout: 60_000 }, async () => {
    const [inferred, ours] = [await typeCost(project, library, "inferred"), await typeCost(project, library, "airworthy")];
    expect(ours.instantiations - inferred.instantiations).toBeLessThan(most[library].instantiations);
    expect(ours.types - inferred.types).toBeLessThan(most[library].types);
  });
});
