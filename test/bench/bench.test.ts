// Every workload still does its work and answers figures. What the figures are is not tested: no test depends on how fast a machine is.
import { expect, test } from "vitest";
import { tableOf } from "./performance-page.ts";
import { workloads } from "./workloads.ts";

test.each(workloads)("$name can be measured", { timeout: 60_000 }, async ({ measure }) => {
  const told: string[] = [];
  const figures = await measure({ rounds: 1, runs: (usual) => Math.min(usual, 2), tell: (done, of) => told.push(`${done}/${of}`) });
  for (const { what, ours, byHand = 1, aim } of figures) {
    for (const figure of [ours, byHand, aim]) expect(figure, what).toBeGreaterThanOrEqual(0);
  }
  expect(tableOf(figures).split("\n")).toHaveLength(figures.length + 2);
});
