// The table of what was measured, as text, and the part of docs/performance.md that holds it.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import type { Figure } from "./measure.ts";

const ownPage = resolve(import.meta.dirname, "../../docs/performance.md");

const head = ["Workload", "Unit", "By hand", "Airworthy", "Ratio", "Aim", ""];

/** The figures as a Markdown table, which is readable in a terminal too. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, unit, ours, byHand, aim, atLeast }) => [
    what,
    unit,
    byHand === undefined ? "" : rounded(byHand),
    rounded(ours),
    byHand === undefined ? "" : ours > 100 * byHand ? "> 100" : rounded(ours / byHand),
    `${atLeast ? ">=" : "<="} ${rounded(aim)}`,
    (atLeast ? ours >= aim : ours <= aim) ? "met" : "missed",
  ]);
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

const rounded = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

const [begin, end] = ["<!-- measured: written by `npm run bench` -->", "<!-- end of what was measured -->"];

/** Puts the table in its place on the page, with where and when it was measured. */
export function writePage(figures: readonly Figure[], now: Date, page = ownPage): void {
  const text = readFileSync(page, "utf8");
  const [before, after] = [text.split(begin)[0], text.split(end)[1]];
  if (before === undefined || after === undefined) throw new Error("docs/performance.md has lost the marks around the table.");
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${process.platform} ${process.arch}`;
  const where = `Measured on ${now.toISOString().slice(0, 10)} with Node ${process.versions.node} on ${machine}, one run of the script.`;
  writeFileSync(page, `${before}${begin}\n\n${where}\n\n${tableOf(figures)}\n\n${end}${after}`);
}
