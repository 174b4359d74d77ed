// The code of the documentation: every block marked `ts run` type-checks and runs, every one marked `ts check` type-checks.
import { afterAll, describe, expect, test } from "vitest";
import { createProject } from "../project.ts";
import { type Block, blocksOf, pages } from "./pages.ts";

const all = pages.flatMap(blocksOf);
const checked = all.filter(({ info }) => info === "ts run" || info === "ts check");
const run = checked.filter(({ info }) => info === "ts run");

const project = await createProject("docs");
afterAll(project.remove);

const fileOf = ({ page, line }: Block) => `${page.replaceAll(/\W/g, "-")}-${line}.ts`;
// As far down as on the page, so that every message names the line of the page.
for (const block of checked) project.write(fileOf(block), "\n".repeat(block.line - 1) + block.code);

test("type-checks", { timeout: 30_000 }, async () => {
  expect(await project.compile("-p", ".")).toBe("");
});

describe.concurrent("runs", () => {
  test.each(run)("$page, line $line", { timeout: 30_000 }, async (block) => {
    await expect(project.node("--conditions=airworthy-source", fileOf(block))).resolves.toBeDefined();
  });
});

describe("is marked", () => {
  test("on every page but those that show what others have to fill in", () => {
    const unmarked = all.filter(({ info, page }) => info.startsWith("ts") && !/^ts (run|check)$/.test(info) && page !== "docs/errors.md");
    expect(unmarked.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
  });

  test("to be run at least once in every guide", () => {
    const guides = pages.map(({ path }) => path).filter((path) => path.startsWith("docs/guides/"));
    expect(guides.filter((path) => !run.some(({ page }) => page === path))).toEqual([]);
  });
});
