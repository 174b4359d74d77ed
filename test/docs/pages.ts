// The pages the documentation consists of, read once: their code blocks, tables, headings and links, for the tests beside this file.
import { globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export interface Page {
  /** From the root of the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export const readPage = (path: string): Page => ({ path, text: readFileSync(resolve(root, path), "utf8") });

/** README.md and everything below docs, in a fixed order. */
export const pages: readonly Page[] = ["README.md", ...globSync("docs/**/*.md", { cwd: root })]
  .map((path) => path.replaceAll("\\", "/"))
  .toSorted()
  .map(readPage);

export interface Block {
  readonly page: string;
  /** What stands behind the opening fence, e.g. `ts run`. */
  readonly info: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly code: string;
}

/** The fenced blocks of a page, in order. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  return [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(({ index, 1: info = "", 2: code = "" }) => ({
    page: path,
    info: info.trim(),
    line: text.slice(0, index).split("\n").length + 1,
    code,
  }));
}

/** The page without its fenced blocks: what is in there is code, not headings, tables or links. */
export const proseOf = ({ text }: Page): string => text.replace(/^```[\s\S]*?^```$/gm, "");

/** The rows of every table on the page, the cells without their white space; heads and rules are left out. */
export function rowsOf(page: Page): readonly (readonly string[])[] {
  const lines = proseOf(page).split("\n");
  const isRule = (line = "") => line.startsWith("| -");
  return lines
    .filter((line, position) => line.startsWith("|") && !isRule(line) && !isRule(lines[position + 1]))
    .map((line) => line.slice(1, line.lastIndexOf("|")).split("|"))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** What a heading is linked by: GitHub's rule. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

export const anchorsOf = (page: Page): readonly string[] =>
  [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(({ 1: heading = "" }) => anchorOf(heading));
