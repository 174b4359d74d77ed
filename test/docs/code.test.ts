// The code of the documentation: every block marked `ts run` type-checks and runs, every one marked `ts check` type-checks.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { type Block, blocksOf, pages, root } from "./pages.ts";

const all = pages.flatMap(blocksOf);
const checked = all.filter(({ info }) => info === "ts run" || info === "ts check");
const run = checked.filter(({ info }) => info === "ts run");

// A project as a reader has it, outside the repository: what is installed there is what is installed here, and airworthy itself.
const project = realpathSync(mkdtempSync(join(tmpdir(), "airworthy-docs-")));
afterAll(() => rmSync(project, { recursive: true }));

const fileOf = ({ page, line }: Block) => `${page.replaceAll(/\W/g, "-")}-${line}.ts`;
const node = (...args: readonly string[]) => promisify(execFile)(process.execPath, args, { cwd: project });

function setUp() {
  mkdirSync(join(project, "node_modules"));
  const installed = readdirSync(join(root, "node_modules")).filter((name) => !name.startsWith("."));
  for (const name of installed) symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name), "junction");
  symlinkSync(root, join(project, "node_modules/airworthy"), "junction");
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "docs", private: true, type: "module" }));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.json"), include: ["*.ts"] }));
  // As far down as on the page, so that every message names the line of the page.
  for (const block of checked) writeFileSync(join(project, fileOf(block)), "\n".repeat(block.line - 1) + block.code);
}
setUp();

test("type-checks", { timeout: 30_000 }, async () => {
  const compiler = join(root, "node_modules/@typescript/native/bin/tsc");
  const problems = await node(compiler, "-p", ".").then(
    () => "",
    (failure: { stdout: string; stderr: string }) => failure.stdout + failure.stderr,
  );
  expect(problems).toBe("");
});

describe.concurrent("runs", () => {
  test.each(run)("$page, line $line", { timeout: 30_000 }, async (block) => {
    await expect(node("--conditions=airworthy-source", fileOf(block))).resolves.toBeDefined();
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
