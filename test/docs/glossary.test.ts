// One word per idea: what the glossary explains is what the sources say, and the closed lists of the sources are on the pages in full.
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { nodesOf, readSources } from "../tidy/source.ts";
import { readPage, root, rowsOf } from "./pages.ts";

const sources = readSources(root, "src");
/** All of the sources, the parts of a name such as `isInterruption` set apart. */
const everything = sources.map(({ tree }) => tree.text.replaceAll(/([a-z])([A-Z])/g, "$1 $2")).join("\n");

/** The literals of a union, e.g. `type Effect = "read" | "write"`; with `field` those of that property of its members. */
function wordsOf(path: string, name: string, field?: string): readonly string[] {
  const file = sources.find((one) => one.path === path);
  const nodes = file ? [...nodesOf(file.tree)] : [];
  const union = nodes.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === name);
  const within = union ? [...nodesOf(union)] : [];
  const fields = within.flatMap((node) => (ts.isPropertySignature(node) && node.name.getText() === field && node.type ? [node.type] : []));
  const literals = field === undefined ? within : fields;
  return literals.flatMap((node) => (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal) ? [node.literal.text] : []));
}

const firstCells = (path: string) => rowsOf(readPage(path)).map(([first = ""]) => first);

/** First cells of a page's tables that are one word in backticks and look like `pattern`. */
const named = (path: string, pattern: RegExp) =>
  firstCells(path)
    .map((cell) => /^`([^`]+)`$/.exec(cell)?.[1] ?? "")
    .filter((word) => pattern.test(word));

describe("docs/glossary.md", () => {
  const words = firstCells("docs/glossary.md");
  const meaningOf = (word: string) => rowsOf(readPage("docs/glossary.md")).find(([first]) => first === word)?.[1] ?? "";

  test("has its words in order, each once", () => {
    expect(words).toEqual([...new Set(words)].toSorted((one, other) => one.localeCompare(other, "en")));
    expect(words.length).toBeGreaterThan(50);
  });

  test("has no word that is not a word of the sources", () => {
    const written = (word: string) => new RegExp(`\\b${word.replaceAll(/[ -]/g, "[ -]?")}`, "i").test(everything);
    expect(words.filter((word) => !written(word))).toEqual([]);
  });

  test.each([
    ["outcome", wordsOf("src/core/outcome.ts", "Outcome", "status")],
    ["effect", wordsOf("src/core/tool.ts", "Effect")],
    ["repeat", wordsOf("src/core/step.ts", "Repeat")],
    ["point", wordsOf("src/core/guardrail.ts", "GuardPoint")],
    ["verdict", wordsOf("src/core/guardrail.ts", "Verdict", "verdict")],
  ])("names every value of %s", (word, values) => {
    expect(values.length).toBeGreaterThan(2);
    expect([...meaningOf(word).matchAll(/`([^`]+)`/g)].map(({ 1: value }) => value)).toEqual(values);
  });
});

describe("the lists of the sources are on the pages in full", () => {
  test.each([
    ["run statuses", "docs/guides/running.md", /^[a-z]{4,}ed$|^partial$/, wordsOf("src/core/result.ts", "RunStatus")],
    [
      "events",
      "docs/guides/running.md",
      /^(run|stage|attempt|step|note|budget|text)\.[a-z]+$/,
      wordsOf("src/core/events.ts", "RunEvent", "type"),
    ],
  ] as const)("%s: %s", (_, path, pattern, values) => {
    expect(values.length).toBeGreaterThan(5);
    expect(named(path, pattern).filter((word) => word !== "degraded")).toEqual(values);
  });
});
