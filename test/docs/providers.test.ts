// The tables of docs/guides/providers.md that say which failure becomes which code, against the one table of the sources.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type ProviderFailure, providerError } from "airworthy";
import { expect, test } from "vitest";
import { readPage, root, rowsOf } from "./pages.ts";

const rows = rowsOf(readPage("docs/guides/providers.md")).map((cells) => cells.map((cell) => cell.replaceAll("`", "")));
const codeOf = (failure: ProviderFailure) => providerError("p", failure, 0).code;

test("every reason is there, in the order of the source, with its code", () => {
  const source = readFileSync(resolve(root, "src/core/provider-error.ts"), "utf8");
  const [, table = ""] = /const byReason[^{]*\{([^}]*)\}/.exec(source) ?? [];
  const reasons = [...table.matchAll(/(\w+): "(\w+)"/g)].map(({ 1: reason = "", 2: code = "" }) => [reason, code]);
  expect(reasons.length).toBeGreaterThan(5);
  expect(rows.filter(([first = ""]) => reasons.some(([reason]) => reason === first))).toEqual(reasons);
  for (const [reason = "", code] of reasons) expect(codeOf({ status: 418, reason })).toBe(code);
});

test("every status has the code it is said to have", () => {
  const statuses = rows.flatMap(([first = "", code]) => (/^\d{3}$/.test(first) ? [{ status: Number(first), code }] : []));
  expect(statuses.length).toBeGreaterThan(5);
  for (const { status, code } of statuses) expect(codeOf({ status })).toBe(code);

  const said = (first: string) => rows.find((cells) => cells[0]?.startsWith(first))?.[1];
  expect([codeOf({}), codeOf({ reason: "odd" })]).toEqual([said("none"), said("none")]);
  expect([500, 503, 529].map((status) => codeOf({ status }))).toEqual(Array.from({ length: 3 }, () => said("500 and above")));
  const named = new Set(statuses.map(({ status }) => status));
  const others = Array.from({ length: 100 }, (_, position) => 400 + position).filter((status) => !named.has(status));
  expect(new Set(others.map((status) => codeOf({ status })))).toEqual(new Set([said("any other")]));
});
