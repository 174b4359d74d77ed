// Every adapter over real HTTP, through its real SDK, against the one suite that users can run on theirs.
import { openai } from "airworthy/openai";
import { type AdapterFor, modelConformance } from "airworthy/testing";
import { describe, expect, test } from "vitest";

const adapters: Readonly<Record<string, AdapterFor>> = {
  "openai, Chat Completions": ({ baseURL }) => openai("gpt-test", { apiKey: "key", baseURL }),
};

describe.each(Object.entries(adapters))("%s", (_, adapterFor) => {
  test.each(modelConformance(adapterFor))("$name", async (conformance) => {
    await expect(conformance.run()).resolves.toBeUndefined();
  });
});
