// Every adapter over real HTTP, through its real SDK, against the one suite that users can run on theirs.
import { modelConformance } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { adapters } from "./adapters.ts";

describe.each(adapters)("$api", ({ adapterFor }) => {
  test.each(modelConformance(adapterFor))("$name", async (conformance) => {
    await expect(conformance.run()).resolves.toBeUndefined();
  });
});
