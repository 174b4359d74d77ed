// The suite against adapters that are subtly wrong. Each has to be noticed by the cases that are there for it, which the real one passes.
import { type AdapterFor, modelConformance } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { adapters } from "./adapters.ts";
import { lastingMutants, tellingMutants } from "./answering-mutants.ts";
import { sendingMutants } from "./sending-mutants.ts";

const mutants = [...sendingMutants, ...tellingMutants, ...lastingMutants];

/** Which of the cases named so reject. */
async function rejecting(adapterFor: AdapterFor, by: string): Promise<readonly string[]> {
  const cases = modelConformance(adapterFor).filter(({ name }) => name.includes(by));
  expect(cases.length).toBeGreaterThan(0);
  const ended = await Promise.allSettled(cases.map((one) => one.run()));
  return cases.flatMap(({ name }, position) => (ended[position]?.status === "rejected" ? [name] : []));
}

describe.each(adapters)("of $api", ({ api, adapterFor }) => {
  const here = mutants.filter(({ only }) => only === undefined || only.includes(api));
  test.for(here)("is noticed: $what", { timeout: 30_000 }, async ({ wrap, by }) => {
    expect(await rejecting(adapterFor, by)).toEqual([]);
    expect(await rejecting((provider) => wrap(adapterFor(provider)), by)).not.toEqual([]);
  });
});
