// The tables of docs/guides/testing.md: every fault of the simulated provider is explained, and nothing that is none.
import ts from "typescript";
import { expect, test } from "vitest";
import { nodesOf, readSources } from "../tidy/source.ts";
import { readPage, root, rowsOf } from "./pages.ts";

test("every fault is in the table", () => {
  const reply = readSources(root, "src").find(({ path }) => path === "src/testing/simulated-provider/reply.ts");
  const fields = [...(reply ? nodesOf(reply.tree) : [])].filter((node) => ts.isPropertySignature(node) && node.name.getText() === "fault");
  const faults = fields.flatMap((field) => [...nodesOf(field)].flatMap((node) => (ts.isStringLiteral(node) ? [node.text] : [])));
  expect(faults.length).toBeGreaterThan(25);

  const page = readPage("docs/guides/testing.md");
  const [, table = ""] = page.text.split("### Faults");
  const told = rowsOf({ ...page, text: table.split("\n### ")[0] ?? "" }).flatMap(([cell = ""]) => [...cell.matchAll(/`([^`]+)`/g)]);
  expect(new Set(told.map(({ 1: fault }) => fault))).toEqual(new Set(faults));
  expect(told).toHaveLength(faults.length);
});
