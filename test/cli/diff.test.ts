// `airworthy diff` as a process: what it prints, and what it exits with.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createAgent, exportRun, tool } from "airworthy";
import { scriptedModel } from "airworthy/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";

const command = resolve(import.meta.dirname, "../../src/cli/airworthy.ts");
let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "airworthy-cli-"))));
afterAll(() => rmSync(folder, { recursive: true }));

function airworthy(...args: string[]): Promise<{ code: unknown; out: string; error: string }> {
  return new Promise((done) => {
    execFile(process.execPath, ["--conditions=airworthy-source", "--no-warnings", command, ...args], (thrown, out, error) =>
      done({ code: thrown?.code ?? 0, out, error }),
    );
  });
}

async function recorded(name: string, id: string): Promise<string> {
  const find = tool({ description: "d", effect: "read", inputSchema: z.object({ id: z.string() }), execute: () => "secret" });
  const model = scriptedModel([{ calls: [{ name: "find", arguments: { id } }] }, "Done."]);
  const agent = createAgent({ name: "a", model, tools: { find } });
  await agent.run("go", { runId: "r" });
  const path = join(folder, name);
  writeFileSync(path, exportRun(await agent.journal("r")));
  return path;
}

test("runs that are the same", async () => {
  const [first, second] = [await recorded("1.jsonl", "4711"), await recorded("2.jsonl", "4711")];
  expect(await airworthy("diff", first, second)).toMatchObject({ code: 0, error: "" });
});

test("runs that differ are shown by path, without content", async () => {
  const [first, second] = [await recorded("1.jsonl", "4711"), await recorded("2.jsonl", "4712")];
  const { code, out, error } = await airworthy("diff", first, second);
  expect([code, error]).toEqual([1, ""]);
  expect(out).toContain("turn-1/tool/0");
  expect(out).not.toMatch(/4711|4712|secret/);
});

test("what it cannot compare is told on the error output", async () => {
  const path = join(folder, "broken.jsonl");
  writeFileSync(path, "no json\n");
  expect(await airworthy("diff", path, path)).toMatchObject({ code: 2, out: "", error: expect.stringContaining(`${path}: Line 1`) });
  expect(await airworthy("diff", join(folder, "missing"), path)).toMatchObject({ code: 2, error: expect.stringContaining("missing") });
});

test("names in a file say nothing to the terminal", async () => {
  const [first, second] = [await recorded("1.jsonl", "4711"), await recorded("2.jsonl", "4711")];
  writeFileSync(second, readFileSync(second, "utf8").replaceAll('"name":"find"', String.raw`"name":"\u001b[31mfind\u0007"`));
  const { code, out } = await airworthy("diff", first, second);
  expect(code).toBe(1);
  expect(out).toContain("find");
  expect(out).not.toMatch(/[^\P{Cc}\n]/u);
});

test.each([[[]], [["diff"]], [["diff", "a", "b", "c"]], [["undo", "a", "b"]], [["diff", "--loud", "a", "b"]]])(
  "%j says how it is used",
  async (args) => {
    expect(await airworthy(...args)).toMatchObject({ code: 2, out: "", error: expect.stringMatching(/Usage|Unknown option/) });
  },
);

test("--help says how it is used, too", async () => {
  expect(await airworthy("--help")).toMatchObject({ code: 0, out: expect.stringContaining("Usage: airworthy diff") });
});
