// What must not compile. Each mistake is told from the same code without it, so that it fails for what is wrong with it and nothing else.
import { afterAll, describe, expect, test } from "vitest";
import { createProject } from "../project.ts";

interface Mistake {
  /** Around the part in question; `@` stands for it. */
  readonly code: string;
  readonly right: string;
  readonly wrong: string;
  /** Of the compiler's message about `wrong`. */
  readonly says: RegExp;
}

const ofTool = 'tool({ description: "d", inputSchema: z.object({ id: z.string() }), @ });';
const ofAgent = "createAgent({ name: 'a', model, @ });";
const ofResult = 'const result = await createAgent({ name: "a", model, output: z.object({ n: z.number() }) }).run("go");\n';

const mistakes: Readonly<Record<string, Mistake>> = {
  "a misspelt option of a tool": {
    code: ofTool,
    right: "execute: () => 1, timeoutMs: 1",
    wrong: "execute: () => 1, timeOutMs: 1",
    says: /TS2561.*'timeOutMs' does not exist.*'timeoutMs'/,
  },
  "a tool without execute": { code: ofTool, right: "execute: () => 1", wrong: 'effect: "read"', says: /TS2741.*'execute' is missing/ },
  "an effect that there is not": {
    code: ofTool,
    right: 'execute: () => 1, effect: "read"',
    wrong: 'execute: () => 1, effect: "reed"',
    says: /TS2322.*'"reed"' is not assignable to type 'Effect'/,
  },
  "execute with another type for its input": {
    code: ofTool,
    right: "execute: ({ id }: { id: string }) => id",
    wrong: "execute: ({ id }: { id: number }) => id",
    says: /TS2322.*'\(\{ id \}: \{ id: number; \}\) => number' is not assignable/,
  },
  "execute that asks for more than the schema gives": {
    code: ofTool,
    right: "execute: (input: { id: string }) => input.id",
    wrong: "execute: (input: { id: string; more: number }) => input.more",
    says: /TS2322.*more: number/,
  },
  "execute that reads what the schema does not have": {
    code: ofTool,
    right: "execute: ({ id }) => id",
    wrong: "execute: ({ order }) => order",
    says: /TS2339.*'order' does not exist on type '\{ id: string; \}'/,
  },
  "input of a JSON Schema used unseen": {
    code: 'tool({ description: "d", inputSchema: { type: "object" }, execute: (input) => @ });',
    right: "JSON.stringify(input)",
    wrong: "input.id",
    says: /TS18046.*'input' is of type 'unknown'/,
  },
  "a fallback for another input": {
    code: ofTool,
    right: "execute: () => 1, fallback: ({ id }: { id: string }) => id",
    wrong: "execute: () => 1, fallback: ({ id }: { id: number }) => id",
    says: /TS2322.*id: number/,
  },
  "reconcile that finds another output": {
    code: ofTool,
    right: 'execute: () => "receipt", reconcile: () => ({ status: "done", output: "receipt" })',
    wrong: 'execute: () => "receipt", reconcile: () => ({ status: "done" })',
    says: /TS2322.*'output' is missing/,
  },
  "a misspelt option of an agent": {
    code: ofAgent,
    right: 'instructions: "x"',
    wrong: 'instruction: "x"',
    says: /TS2561.*'instruction' does not exist.*'instructions'/,
  },
  "a misspelt option further in": {
    code: ofAgent,
    right: "policy: { limits: { turns: 1 } }",
    wrong: "policy: { limits: { turn: 1 } }",
    says: /TS2561.*'turn' does not exist.*'turns'/,
  },
  "a tool not made by tool()": {
    code: ofAgent,
    right: 'tools: { t: tool({ description: "d", inputSchema: { type: "object" }, execute: () => 1 }) }',
    wrong: 'tools: { t: { description: "d", inputSchema: { type: "object" }, execute: () => 1 } }',
    says: /TS2353.*'inputSchema' does not exist in type 'Tool/,
  },
  "a misspelt option of a run": {
    code: 'await createAgent({ name: "a", model }).run("go", { @ });',
    right: 'runId: "r"',
    wrong: 'runID: "r"',
    says: /TS2561.*'runID' does not exist.*'runId'/,
  },
  "an adapter without a key": { code: "openai(@);", right: '"m", { apiKey: "k" }', wrong: '"m", {}', says: /TS2741.*'apiKey' is missing/ },
  "the output before the status was looked at": {
    code: `${ofResult}@;`,
    right: 'if (result.status === "completed") result.output.n.toFixed()',
    wrong: "result.output.n.toFixed()",
    says: /TS2339.*'output' does not exist/,
  },
  "the output of a run that was refused": {
    code: `${ofResult}if (result.status === "refused") @;`,
    right: "result.refusal.message.trim()",
    wrong: "result.output.n.toFixed()",
    says: /TS2339.*'output' does not exist/,
  },
  "the output as something else than its schema": {
    code: `${ofResult}if (result.status === "completed") @;`,
    right: "result.output.n.toFixed()",
    wrong: "result.output.trim()",
    says: /TS2339.*'trim' does not exist on type '\{ n: number; \}'/,
  },
  "a status that there is not": {
    code: `${ofResult}export const done = result.status === @;`,
    right: '"completed"',
    wrong: '"done"',
    says: /TS2367.*have no overlap/,
  },
  "a switch that forgets a status": {
    code: `export function show(result: RunResult): string {
      switch (result.status) {
        case "completed": return result.output;
        case "suspended": return "";
        case "refused": case "escalated": case "cancelled": case "failed": case "partial": @ return result.error.code;
      }
    }`,
    right: 'case "halted":',
    wrong: "",
    says: /TS2366.*lacks ending return statement/,
  },
  "a result that is written to": {
    code: `${ofResult}@;`,
    right: "result.runId.trim()",
    wrong: 'result.runId = "r"',
    says: /TS2540.*'runId' because it is a read-only property/,
  },
  "a part of an event of another type": {
    code: 'for await (const event of createAgent({ name: "a", model }).stream("go")) if (event.type === @) event.text.trim();',
    right: '"text.delta"',
    wrong: '"run.finished"',
    says: /TS2339.*'text' does not exist/,
  },
  "a wrong expectation of a test": {
    code: `${ofResult}if (result.status === "completed") expectTypeOf(result.output).toEqualTypeOf<@>();`,
    right: "{ n: number }",
    wrong: "{ n: number | undefined }",
    says: /TS2344.*does not satisfy the constraint/,
  },
};

const imports = `import { createAgent, type RunResult, tool } from "airworthy";
import { openai } from "airworthy/openai";
import { scriptedModel } from "airworthy/testing";
import { expectTypeOf } from "vitest";
import { z } from "zod";
export { expectTypeOf, openai, type RunResult, tool, z };
export const model = scriptedModel(["x"]);
`;

const project = await createProject("mistakes");
afterAll(project.remove);

const fileOf = (name: string, which: "right" | "wrong") => `${name.replaceAll(/\W+/g, "-")}-${which}.ts`;
for (const [name, { code, right, wrong }] of Object.entries(mistakes)) {
  project.write(fileOf(name, "right"), imports + code.replace("@", () => right));
  project.write(fileOf(name, "wrong"), imports + code.replace("@", () => wrong));
}

/** What was said of each file: a message begins with its name, and what explains it further is indented. */
const said = Object.groupBy(
  (await project.compile("-p", ".", "--pretty", "false")).split(/\n(?! )/).filter((message) => message !== ""),
  (message) => message.slice(0, message.indexOf("(")),
);

describe.each(Object.keys(mistakes))("%s", (name) => {
  test("does not compile, and without the mistake it does", () => {
    expect(said[fileOf(name, "right")]).toBeUndefined();
    expect(said[fileOf(name, "wrong")]).toEqual([expect.stringMatching(new RegExp(mistakes[name]?.says ?? "never", "s"))]);
  });
});

test("nothing else is complained of", () => {
  const wrong = Object.keys(mistakes).map((name) => fileOf(name, "wrong"));
  expect(Object.keys(said).toSorted()).toEqual(wrong.toSorted());
});
