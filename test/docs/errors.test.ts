// docs/errors.md against the table of codes, both ways: a code without advice and advice without a code are equally wrong.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { errorCodes } from "../../src/core/errors.ts";

const page = readFileSync(resolve(import.meta.dirname, "../../docs/errors.md"), "utf8");

/** A row of any table on the page; the first cell is a code. */
const row = /^\| `(?<code>[a-z_]+)` \| (?<ends>.*?) \| (?<resumable>.*?) \| (?<retryable>.*?) \| (?<meaning>.*?) \| (?<advice>.*?) \|$/gm;
const rows = [...page.matchAll(row)].map(({ groups = {} }) => groups);

const word = (yes: boolean) => (yes ? "yes" : "no");
/** Found when a journal is read, before any pass begins. */
const unreadable = new Set(["journal_corrupt", "journal_format_unknown"]);

describe("docs/errors.md", () => {
  test("has one row per code, in the order of the source", () => {
    expect(rows.map(({ code }) => code)).toEqual(Object.keys(errorCodes));
  });

  test("says of each code how a run ends with it, whether a resume goes on, and whether it is retryable", () => {
    const documented = rows.map(({ code, ends, resumable, retryable }) => ({ code, ends, resumable, retryable }));
    const actual = Object.entries(errorCodes).map(([code, { ends, final, retryable }]) => ({
      code,
      ends,
      resumable: word(ends === "partial" || ends === "halted" || (ends === "failed" && !final && !unreadable.has(code))),
      retryable: word(retryable),
    }));
    expect(documented).toEqual(actual);
  });

  test("explains each code and gives advice, in sentences", () => {
    const sentence = /^[A-Z`].{8,}\.$/;
    expect(rows.filter(({ meaning, advice }) => !sentence.test(meaning ?? "") || !sentence.test(advice ?? ""))).toEqual([]);
  });

  test("has no row the test cannot read", () => {
    const codeLines = page.split("\n").filter((line) => line.startsWith("| `"));
    expect(codeLines).toHaveLength(rows.length);
  });
});
