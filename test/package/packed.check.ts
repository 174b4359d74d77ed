// The packed package in an empty project: every subpath by itself, with import and require, with types, and without any optional package.
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../project.ts";
import { entries, installPackage, optionalPeers } from "./installed.ts";

const project = await installPackage();
afterAll(project.remove);

/** Runs a module in the project, which prints what it finds out. */
const found = async (source: string, kind = "module"): Promise<string> =>
  (await project.node(`--input-type=${kind}`, "--eval", source)).trim();

/** What has to be installed for a subpath, and how its model or store is made. What users import and hand over themselves is their own choice. */
const adapters = [
  { entry: "airworthy/openai", peer: "openai", make: 'openai("m", { apiKey: "x" })' },
  { entry: "airworthy/anthropic", peer: "@anthropic-ai/sdk", make: 'anthropic("m", { apiKey: "x" })' },
  { entry: "airworthy/tokens", peer: "gpt-tokenizer", make: '({ id: exactTokens() && "m" })' },
  { entry: "airworthy/postgres", peer: "pg", make: '({ id: postgres("postgres://localhost/none").journal && "m" })' },
].filter(({ entry }) => entries.includes(entry));
const handedOver = ["zod", "better-sqlite3"];

test("nothing is packed but what is built, the sources it maps to, and the documentation", () => {
  expect(project.files.filter((file) => !/^(dist|src|docs)\/|^(LICENSE|README\.md|package\.json)$/.test(file))).toEqual([]);
});

test("without optional packages it is small: at most 10 packages and 12 MB", () => {
  expect(project.packages).toContain("airworthy");
  expect(project.packages.filter((name) => optionalPeers.includes(name))).toEqual([]);
  expect(project.packages.length).toBeLessThanOrEqual(10);
  expect(project.installedSize).toBeLessThanOrEqual(12e6);
});

describe.each(entries)("%s", (entry) => {
  test("is imported alone", async () => {
    expect(await found(`console.log(Object.keys(await import("${entry}")).length > 0)`)).toBe("true");
  });

  test("is required from CommonJS, and is then the same as imported", async () => {
    const source = `const required = require("${entry}");
      import("${entry}").then((imported) => console.log(Object.keys(imported).every((name) => imported[name] === required[name])));`;
    expect(await found(source, "commonjs")).toBe("true");
  });
});

test("an agent runs, with a tool, a guardrail and a double of the model", async () => {
  const source = `import { createAgent, tool } from "airworthy";
    import { normalized } from "airworthy/guardrails";
    import { scriptedModel } from "airworthy/testing";
    const find = tool({ description: "d", effect: "read", inputSchema: { type: "object" }, execute: ({ id }) => "found " + id });
    const model = scriptedModel([{ calls: [{ name: "find", arguments: { id: "4711" } }] }, ({ messages }) => messages.at(-1).content]);
    const result = await createAgent({ name: "a", model, tools: { find }, guardrails: { input: [normalized()] } }).run("g\\u200Bo");
    console.log(result.status, result.output, result.messages[0].content);`;
  expect(await found(source)).toBe("completed found 4711 go");
});

test("the command is there", async () => {
  expect(await project.node("node_modules/airworthy/dist/airworthy.js", "--help")).toContain("airworthy diff");
});

test("one AgentError for all subpaths", async () => {
  const source = `import { AgentError } from "airworthy";
    import { openai } from "airworthy/openai";
    try { openai("m", {}); } catch (error) { console.log(error instanceof AgentError, error.code); }`;
  expect(await found(source)).toBe("true configuration_invalid");
});

describe("an optional package", () => {
  test("is known here for every adapter", () => {
    expect([...adapters.map(({ peer }) => peer), ...handedOver].toSorted()).toEqual(optionalPeers.toSorted());
  });

  test.each(adapters)("that is missing is named with the command that installs it: $entry", async ({ entry, peer, make }) => {
    const source = `import * as adapter from "${entry}";
      import { AgentError } from "airworthy";
      const { openai, anthropic, postgres, exactTokens } = adapter;
      try { ${make}; } catch (error) { console.log(AgentError.is(error), error.code, error.message); }`;
    const said = await found(source);
    expect(said).toMatch(/^true configuration_invalid /);
    expect(said).toContain(`npm install ${peer}`);
  });

  test.each(adapters)("that is there is used: $entry", async ({ entry, peer, make }) => {
    const link = join(project.path, "node_modules", peer);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", peer), link, "junction");
    try {
      expect(await found(`const { openai, anthropic, postgres, exactTokens } = await import("${entry}"); console.log(${make}.id);`)).toBe(
        "m",
      );
    } finally {
      unlinkSync(link);
    }
  });
});

describe("types", () => {
  const compiler = join(root, "node_modules/@typescript/native/bin/tsc");
  const settings = [
    "--noEmit --strict --target es2023 --lib es2023 --skipLibCheck false --types node --typeRoots",
    join(root, "node_modules/@types"),
  ];

  test.each(["nodenext", "esnext --moduleResolution bundler"])("resolve and are whole without any optional package: %s", async (module) => {
    const source = entries.map((entry, at) => `import * as entry${at} from "${entry}";\nexport { entry${at} };`).join("\n");
    const use = `import { createAgent, type RunResult } from "airworthy";
      import { scriptedModel } from "airworthy/testing";
      export const result: Promise<RunResult> = createAgent({ name: "a", model: scriptedModel(["x"]) }).run("go");
      // @ts-expect-error an agent needs a model
      createAgent({ name: "a" });`;
    writeFileSync(join(project.path, "use.mts"), `${source}\n${use}\n`);
    const args = [...settings, `--module ${module}`].flatMap((part) => part.split(" "));
    const said = await project.node(compiler, ...args, "use.mts").catch((failure: { stdout: string }) => failure.stdout);
    expect(said).toBe("");
  });
});
