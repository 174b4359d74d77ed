// Every rule of the house, shown to see what it is there for: breaches planted in files that exist only here, and look-alikes it must pass.
import { describe, expect, test } from "vitest";
import { banProblems, suppressionProblems } from "./bans.ts";
import { cycleProblems, deadFileProblems, layerProblems, packageProblems, rootProblems } from "./imports.ts";
import { introductionProblems, nameProblems } from "./naming.ts";
import { fileSizeProblems, functionSizeProblems, largeFiles, nestingProblems } from "./sizes.ts";
import { parse, type Rule } from "./source.ts";
import { leftOutProblems, sleepProblems } from "./suite.ts";

type Files = Readonly<Record<string, string>>;
type Breach = readonly [what: string, rule: Rule, files: Files, expected: string];
type LookAlike = readonly [what: string, rule: Rule, files: Files];

const manifest = { dependencies: { opossum: "1", "@opentelemetry/api": "1" }, peerDependencies: { openai: "1", zod: "1" } };
const packages = packageProblems(manifest);
const root = rootProblems("src/index.ts", manifest);
const dead = deadFileProblems(["src/index.ts"]);

const problemsIn = (rule: Rule, files: Files) => rule(Object.entries(files).map(([path, text]) => parse(path, text)));
const lines = (count: number) => "work();\n".repeat(count);
const inCore = (text: string): Files => ({ "src/core/run.ts": text });
const inTest = (text: string): Files => ({ "test/run.test.ts": text });

const breaches: readonly Breach[] = [
  [
    "core importing outwards",
    layerProblems,
    inCore('import { a } from "../journal/a.ts";'),
    "src/core/run.ts:1: must not import src/journal/a.ts",
  ],
  ["a type import", layerProblems, inCore('\nimport type { A } from "../agent.ts";'), "src/core/run.ts:2: must not import src/agent.ts"],
  ["an import() type", layerProblems, inCore('type A = import("../agent.ts").A;'), "must not import src/agent.ts"],
  ["an import() call", layerProblems, inCore('await import("../agent.ts");'), "must not import src/agent.ts"],
  ["an export from", layerProblems, inCore('export * from "../agent.ts";'), "must not import src/agent.ts"],
  ["a sibling", layerProblems, { "src/policy/a.ts": 'import "../journal/b.ts";' }, "must not import src/journal/b.ts"],
  [
    "a provider in need of more than core",
    layerProblems,
    { "src/providers/a.ts": 'import "../policy/b.ts";' },
    "must not import src/policy/b.ts",
  ],
  ["a guardrail in need of more than core", layerProblems, { "src/guardrails/a.ts": 'import "../pipeline/b.ts";' }, "must not import"],
  [
    "the agent importing the root",
    layerProblems,
    { "src/agent.ts": 'import "./index.ts";' },
    "src/agent.ts:1: must not import src/index.ts",
  ],
  ["an import from outside src", layerProblems, inCore('import "../../test/a.ts";'), "must not import test/a.ts"],
  ["a folder without a layer", layerProblems, { "src/stuff/a.ts": "" }, "src/stuff/a.ts:1: belongs to no layer"],

  [
    "a cycle of two",
    cycleProblems,
    { "src/core/a.ts": 'import "./b.ts";', "src/core/b.ts": '\nimport type { A } from "./a.ts";' },
    "src/core/b.ts:2: closes the cycle src/core/a.ts > src/core/b.ts > src/core/a.ts",
  ],
  [
    "a cycle off the first trail",
    cycleProblems,
    { "src/core/a.ts": 'import "./b.ts";', "src/core/b.ts": 'import "./c.ts";', "src/core/c.ts": 'export * from "./b.ts";' },
    "src/core/c.ts:1: closes the cycle src/core/b.ts > src/core/c.ts > src/core/b.ts",
  ],
  ["a file importing itself", cycleProblems, { "src/core/a.ts": 'import "./a.ts";' }, "closes the cycle src/core/a.ts > src/core/a.ts"],

  ["an SDK outside providers", packages, inCore('import OpenAI from "openai";'), "imports openai, which only src/providers/ may"],
  [
    "the type of an SDK",
    packages,
    inCore('import type { Chat } from "openai/resources";'),
    "imports openai, which only src/providers/ may",
  ],
  ["a database outside journal", packages, inCore('import "node:sqlite";'), "imports node:sqlite, which only src/journal/ may"],
  ["MCP outside mcp", packages, inCore('import "@modelcontextprotocol/client";'), "which only src/mcp/ may"],
  ["opossum outside resilience", packages, inCore('import "opossum";'), "imports opossum, which only src/resilience/ may"],
  ["p-retry outside resilience", packages, inCore('import "p-retry";'), "which only src/resilience/ may"],
  ["OpenTelemetry outside telemetry", packages, inCore('import "@opentelemetry/api";'), "which only src/telemetry/ may"],
  ["a package nobody installs", packages, inCore('import "left-pad";'), "imports left-pad; list it under dependencies"],
  ["a bare name of node's", packages, inCore('import "fs";'), "imports fs; write node:fs"],
  ["a computed module name", packages, inCore("await import(name);"), "computes the name of a module"],
  ["a required package", packages, inCore('const a = require("left-pad");'), "imports left-pad"],

  [
    "a root that reaches an SDK",
    root,
    {
      "src/index.ts": 'export * from "./agent.ts";',
      "src/agent.ts": 'import type { A } from "./providers/openai.ts";',
      "src/providers/openai.ts": '\nimport "openai";',
    },
    "src/providers/openai.ts:2: ties the root entry to openai by src/index.ts > src/agent.ts > src/providers/openai.ts",
  ],
  ["a root that reaches a database", root, { "src/index.ts": 'import "node:sqlite";' }, "ties the root entry to node:sqlite"],
  [
    "a root that reaches an optional package",
    root,
    { "src/index.ts": 'import type { ZodType } from "zod";' },
    "ties the root entry to zod",
  ],

  ["a dead file", dead, { "src/index.ts": "", "src/core/a.ts": "" }, "src/core/a.ts:1: no entry of tsup.config.ts reaches this file"],
  ["an entry that is not there", dead, {}, "src/index.ts:1: is an entry of tsup.config.ts and does not exist"],

  ["a long file", fileSizeProblems, inCore(lines(401)), "src/core/run.ts:1: has 401 lines"],
  ["a file growing long", largeFiles, inCore(lines(251)), "src/core/run.ts: 251 lines"],
  ["a long function", functionSizeProblems, inCore(`\nfunction act() {\n${lines(59)}}`), "src/core/run.ts:2: act() has 61 lines"],
  ["a long arrow function", functionSizeProblems, inCore(`const act = () => {\n${lines(59)}};`), "act() has 61 lines"],
  ["a long method", functionSizeProblems, inCore(`const a = { act() {\n${lines(59)}} };`), "act() has 61 lines"],
  ["a long callback", functionSizeProblems, inCore(`run(() => {\n${lines(59)}});`), "a function has 61 lines"],
  [
    "deep nesting",
    nestingProblems,
    inCore("for (;;) {\n while (a) {\n try {\n switch (b) { default:\n if (c) act();\n } } catch {} } }"),
    "src/core/run.ts:5: is nested 5 deep",
  ],
  [
    "deep nesting in an else",
    nestingProblems,
    inCore("if (a) b(); else { if (c) { do { for (x of y) { if (z) w(); } } while (d) } }"),
    "nested 5 deep",
  ],

  ["Date.now", banProblems, inCore("\n\nconst now = Date.now();"), "src/core/run.ts:3: reads Date.now; use the run's clock"],
  ["Date.now handed on", banProblems, { "src/pipeline/a.ts": "const clock = { now: Date.now };" }, "reads Date.now"],
  ["Date.now in another file of the journal", banProblems, { "src/journal/clock.ts": "Date.now();" }, "reads Date.now"],
  ["new Date()", banProblems, { "src/policy/a.ts": "new Date().toISOString();" }, "asks Date for the present"],
  ["Math.random", banProblems, { "src/journal/a.ts": "Math.random();" }, "calls Math.random"],
  ["crypto.randomUUID", banProblems, { "src/telemetry/a.ts": "globalThis.crypto.randomUUID();" }, "makes a randomUUID"],
  ["an imported randomUUID", banProblems, inCore('import { randomUUID as id } from "node:crypto";'), "makes a randomUUID"],
  ["setTimeout", banProblems, inCore("setTimeout(run, 5);"), "starts a timer with setTimeout"],
  ["setTimeout under another name", banProblems, inCore('import { setTimeout as sleep } from "node:timers/promises";'), "setTimeout"],
  ["setInterval", banProblems, inCore("globalThis.setInterval(run, 5);"), "starts a timer with setInterval"],
  ["AbortSignal.timeout", banProblems, inCore("AbortSignal.timeout(5);"), "starts a timer with AbortSignal.timeout"],
  ["performance.now", banProblems, inCore("performance.now();"), "reads performance.now"],
  ["console", banProblems, { "src/agent.ts": "console.error(1);" }, "src/agent.ts:1: writes to the console"],
  ["process.env", banProblems, { "src/agent.ts": "process.env.KEY;" }, "reads process.env"],
  ["env taken out of process", banProblems, { "src/agent.ts": "const { env } = process;" }, "reads process.env"],
  ["env imported", banProblems, { "src/agent.ts": 'import { env as settings } from "node:process";' }, "reads process.env"],
  ["any", banProblems, { "src/agent.ts": "const a: readonly any[] = [];" }, "uses the type any"],
  ["as any", banProblems, { "src/agent.ts": "const a = b as any;" }, "uses the type any"],
  ["as unknown as", banProblems, { "src/agent.ts": "const a = (b as unknown) as string;" }, "casts by way of unknown"],
  ["new Error", banProblems, { "src/agent.ts": 'throw new Error("no");' }, "makes an error without a code"],
  ["new TypeError, not thrown", banProblems, { "src/agent.ts": 'reject(new TypeError("no"));' }, "makes an error without a code"],
  ["a class of errors", banProblems, { "src/agent.ts": "class Oops extends Error {}" }, "declares another class of errors"],
  ["using", banProblems, { "src/agent.ts": "await using a = b;" }, "declares with using"],
  ["an enum", banProblems, { "src/agent.ts": "enum A { B }" }, "declares an enum"],
  ["a namespace", banProblems, { "src/agent.ts": "declare global { interface A {} }" }, "declares a namespace"],
  ["a default export", banProblems, { "src/agent.ts": "export default function act() {}" }, "exports a default"],
  ["a default value", banProblems, { "src/agent.ts": "export default 1;" }, "exports a default"],
  ["something renamed to default", banProblems, { "src/agent.ts": "export { act as default };" }, "exports a default"],

  ["@ts-ignore", suppressionProblems, inCore("\n// @ts-ignore\nact();"), "src/core/run.ts:2: silences a checker with @ts-ignore"],
  ["@ts-nocheck", suppressionProblems, inCore("// @ts-nocheck\n"), "@ts-nocheck"],
  ["@ts-expect-error behind code", suppressionProblems, inCore("act( // @ts-expect-error wrong\n 1);"), "@ts-expect-error"],
  ["oxlint-disable", suppressionProblems, inCore("act(); // oxlint-disable-line no-eval"), "oxlint-disable-line"],
  ["eslint-disable", suppressionProblems, inCore("/* eslint-disable */"), "eslint-disable"],
  ["biome-ignore in a block", suppressionProblems, inCore("/**\n * biome-ignore lint: because\n */\nact();"), "biome-ignore"],

  ["a name in camel case", nameProblems, { "src/core/runState.ts": "" }, "src/core/runState.ts:1: runState is not kebab-case"],
  ["a folder in camel case", nameProblems, { "src/journal/sqlViews/run.ts": "" }, "sqlViews is not kebab-case"],
  ["a drawer for everything", nameProblems, { "src/core/utils.ts": "" }, "utils says nothing"],
  ["a drawer with a label", nameProblems, { "src/core/run-helpers.ts": "" }, "run-helpers says nothing"],
  ["types", nameProblems, { "src/core/types.ts": "" }, "types says nothing"],
  [
    "no introduction",
    introductionProblems,
    inCore('import "./a.ts";\n// What this is about, too late.'),
    "src/core/run.ts:1: run.ts does not say what it owns",
  ],
  ["a short introduction", introductionProblems, inCore("// Runs."), "does not say what it owns"],

  ["test.only", leftOutProblems, inTest('\ntest.only("a", act);'), "test/run.test.ts:2: leaves tests out (test.only)"],
  ["describe.skip", leftOutProblems, inTest('describe.concurrent.skip("a", act);'), "leaves tests out"],
  ["it.todo", leftOutProblems, inTest('it.todo("a");'), "leaves tests out"],
  ["only after each", leftOutProblems, inTest('test.each([1]).only("a", act);'), "leaves tests out"],
  ["skip as an option", leftOutProblems, inTest('test("a", { skip: true }, act);'), "leaves tests out"],
  ["a sleep", sleepProblems, inTest("\nawait new Promise((go) => setTimeout(go, 1_000));"), "test/run.test.ts:2: waits 100 ms or more"],
  ["a promised sleep", sleepProblems, inTest("await setTimeout(100);"), "waits 100 ms or more"],
];

const lookAlikes: readonly LookAlike[] = [
  ["imports inwards and within the folder", layerProblems, { "src/policy/a.ts": 'import "../core/a.ts";\nimport "./views/b.ts";' }],
  ["the root importing everything", layerProblems, { "src/index.ts": 'export * from "./agent.ts";\nexport * from "./testing/index.ts";' }],
  [
    "two ways to one file",
    cycleProblems,
    { "src/core/a.ts": 'import "./b.ts";import "./c.ts";', "src/core/b.ts": 'import "./c.ts";', "src/core/c.ts": "" },
  ],
  ["packages at home", packages, { "src/providers/a.ts": 'import "openai";', "src/journal/a.ts": 'import "node:sqlite";' }],
  [
    "an SDK no root reaches",
    root,
    { "src/index.ts": 'import "node:crypto";\nimport "opossum";', "src/providers/a.ts": 'import "openai";' },
  ],
  ["a file reached by type only", dead, { "src/index.ts": 'export type { A } from "./core/a.ts";', "src/core/a.ts": "" }],
  ["a full file", fileSizeProblems, inCore(lines(400))],
  [
    "a full function, and one without a body",
    functionSizeProblems,
    inCore(`function act() {\n${lines(58)}}\ninterface A {\n${"  act(): void;\n".repeat(61)}}`),
  ],
  ["else if after else if", nestingProblems, inCore("if (a) b(); else if (c) d(); else if (e) f(); else if (g) h(); else if (i) j();")],
  ["functions in functions", nestingProblems, inCore("if (a) if (b) if (c) act(() => { if (d) if (e) f(); });")],
  [
    "banned words in comments and strings",
    banProblems,
    inCore('// Date.now() any console.log\nconst a = "Date.now() as any";\nconst b = `Math.random()`;'),
  ],
  ["a date of a given time", banProblems, inCore("new Date(at);")],
  [
    "members that share a name",
    banProblems,
    inCore("clock.setTimeout(); const a = { setTimeout: 1, env: 2 }; interface B { setInterval(): void }"),
  ],
  ["the machine's time outside the replayed parts", banProblems, { "src/agent.ts": "const clock = { now: () => Date.now() };" }],
  ["the one clock of the stores", banProblems, { "src/journal/store-clock.ts": "export const storeClock = () => Date.now();" }],
  ["the one class of errors", banProblems, { "src/core/errors.ts": "export class AgentError extends Error {}" }],
  [
    "words about silencing",
    suppressionProblems,
    inCore('// Nobody writes @ts-ignore here.\nconst a = "// @ts-ignore";\nconst b = `\n// biome-ignore\n`;'),
  ],
  ["kebab-case", nameProblems, { "src/core/content-types.ts": "", "src/journal/views/tally.ts": "", "src/providers/a2.ts": "" }],
  [
    "an introduction below a shebang",
    introductionProblems,
    { "src/cli/main.ts": "#!/usr/bin/env node\n// The command line: one file per command.\n" },
  ],
  ["tests that say when they run", leftOutProblems, inTest('test.skipIf(missing)("a", act); plan.todo(); const a = { only: 1 };')],
  ["a short wait", sleepProblems, inTest("setTimeout(go, 20); clock.setTimeout(go, 5000);")],
];

describe("is reported", () => {
  test.each(breaches)("%s", (_, rule, files, expected) => {
    const problems = problemsIn(rule, files);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });
});

describe("is left alone", () => {
  test.each(lookAlikes)("%s", (_, rule, files) => {
    expect(problemsIn(rule, files)).toEqual([]);
  });
});
