// Every workload still does its work and answers figures. What the figures are is not tested: no test depends on how fast a machine is.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { counterTableOf, tableOf, writeCounters, writePage } from "./performance-page.ts";
import { measureCounters } from "./workloads/counters.ts";
import { workloads } from "./workloads.ts";

test.each(workloads)("$name can be measured", { timeout: 60_000 }, async ({ measure }) => {
  const figures = await measure({ rounds: 1, runs: (usual) => Math.min(usual, 2), tell: () => {} });
  for (const { what, ours, byHand = 1, aim } of figures) {
    for (const figure of [ours, byHand, aim]) expect(figure, what).toBeGreaterThanOrEqual(0);
  }
  expect(tableOf(figures).split("\n")).toHaveLength(figures.length + 2);
});

test("counters can be measured", { timeout: 60_000 }, async () => {
  const figures = await measureCounters({ ms: 15, tell: () => {} });
  for (const { what, pairs } of figures) expect(pairs, what).toBeGreaterThan(0);
  expect(counterTableOf(figures).split("\n")).toHaveLength(2 + 4);
});

test("the table is written to its place on the page, which keeps the rest", () => {
  const folder = mkdtempSync(join(tmpdir(), "airworthy-page-"));
  const page = join(folder, "performance.md");
  const own = readFileSync(join(import.meta.dirname, "../../docs/performance.md"), "utf8");
  const figures = [{ what: "a loop", unit: "us", ours: 2, byHand: 1, aim: 3 }];
  try {
    writeFileSync(page, own);
    writePage(figures, new Date(0), page);
    const written = readFileSync(page, "utf8");
    expect(written).toContain(tableOf(figures));
    expect(written).toContain("Measured on 1970-01-01");
    const counted = ["one", "one, slices"].flatMap((what, position) => [{ what, rows: 1, pairs: 30 * position + 2 }]);
    writeCounters(counted, new Date(0), page);
    expect(readFileSync(page, "utf8")).toContain("| one, slices | 32      |            | 16.0          |");
    expect(readFileSync(page, "utf8")).toContain(tableOf(figures));
    expect(written).not.toContain("10-step tool loop |");
    expect(written.split("## Where the rest goes")[1]).toBe(own.split("## Where the rest goes")[1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
