// docs/journal-format.md against src/core/journal.ts: the entries, their fields and their closed lists, and the lines of a run as it is now.
import { createAgent, tool } from "airworthy";
import { autoClock, scriptedModel } from "airworthy/testing";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { nodesOf, readSources } from "../tidy/source.ts";
import { blocksOf, readPage, root, rowsOf } from "./pages.ts";

const page = readPage("docs/journal-format.md");
const rows = rowsOf(page);
const quoted = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(({ 1: word = "" }) => word);

const source = readSources(root, "src").find(({ path }) => path === "src/core/journal.ts");
const nodes = source ? [...nodesOf(source.tree)] : [];
const interfaces = new Map(nodes.filter(ts.isInterfaceDeclaration).map((node) => [node.name.text, node]));
const aliases = new Map(nodes.filter(ts.isTypeAliasDeclaration).map((node) => [node.name.text, node.type]));

/** The properties of an interface, those it extends included. */
function propertiesOf(name: string): readonly ts.PropertySignature[] {
  const node = interfaces.get(name);
  const above = (node?.heritageClauses ?? []).flatMap(({ types }) => types.map(({ expression }) => expression.getText()));
  return [...above.flatMap(propertiesOf), ...(node?.members.filter(ts.isPropertySignature) ?? [])];
}

const literalsOf = (node: ts.Node | undefined) =>
  node ? [...nodesOf(node)].flatMap((one) => (ts.isLiteralTypeNode(one) && ts.isStringLiteral(one.literal) ? [one.literal.text] : [])) : [];
const typeOf = (name: string, property: string) => propertiesOf(name).find((one) => one.name.getText() === property)?.type;
const fieldsOf = (name: string) => propertiesOf(name).map((one) => `${one.name.getText()}${one.questionToken ? "?" : ""}`);

const union = aliases.get("Entry");
const members = union && ts.isUnionTypeNode(union) ? union.types.map((member) => member.getText()) : [];

describe("docs/journal-format.md", () => {
  test("has every type of entry, in the order of the source, with the very fields it has", () => {
    const actual = members.map((name) => [literalsOf(typeOf(name, "type"))[0], fieldsOf(name).toSorted()]);
    const documented = rows
      .filter((cells) => cells.length === 4)
      .map(([type, fields]) => [quoted(type)[0], ["at", "type", ...quoted(fields)].toSorted()]);
    expect(actual.length).toBeGreaterThan(5);
    expect(documented).toEqual(actual);
  });

  test.each([
    ["`kind` of a step", literalsOf(aliases.get("StepKind"))],
    ["`reason` of a choice", literalsOf(aliases.get("Reason"))],
    ["`note` of a note", literalsOf(aliases.get("Note"))],
    ["`status` of a stop", literalsOf(typeOf("RunStopped", "status"))],
    ["`status` of an end", literalsOf(typeOf("RunEnded", "status"))],
    ["fields of `caps`", fieldsOf("RunCaps")],
  ])("names every value of %s", (what, values) => {
    expect(values.length).toBeGreaterThan(2);
    expect(quoted(rows.find(([first]) => first === what)?.[1])).toEqual(values);
  });

  test("shows the lines of a run as they are written", async () => {
    let asked = 0;
    const findOrder = tool({
      description: "Looks an order up.",
      inputSchema: { type: "object", properties: { id: { type: "string" } } },
      effect: "read",
      execute: () => {
        asked += 1;
        if (asked === 1) throw new Error("busy");
        return "Order 4711 is late.";
      },
    });
    const model = scriptedModel([{ calls: [{ name: "findOrder", arguments: { id: "4711" } }] }, "It is late."]);
    const agent = createAgent({ name: "desk", instructions: "Be brief.", model, tools: { findOrder }, clock: autoClock() });
    await agent.run("Where is order 4711?", { runId: "r", user: { id: "anna" } });
    const shown = blocksOf(page).find(({ info }) => info === "jsonl");
    expect(
      shown?.code
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line)),
    ).toEqual(await agent.journal("r"));
  });
});
