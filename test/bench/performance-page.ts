// The tables of what was measured, as text, and the parts of docs/performance.md that hold them.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import type { Figure } from "./measure.ts";
import type { CounterFigure } from "./workloads/counters.ts";

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
  return table(head, rows);
}

/** Reservations by store, one row and a thousand; a store in slices is compared with itself without. */
export function counterTableOf(figures: readonly CounterFigure[]): string {
  const pairsOf = (what: string, isOne: boolean) => figures.find((figure) => figure.what === what && (figure.rows === 1) === isOne)?.pairs;
  const rows = [...new Set(figures.map(({ what }) => what))].map((what) => {
    const [one, many] = [pairsOf(what, true), pairsOf(what, false)];
    const whole = pairsOf(what.split(", slices")[0] ?? "", true);
    const ratio = one === undefined || whole === undefined || one === whole ? "" : rounded(one / whole);
    return [what, ...[one, many].map((pairs) => (pairs === undefined ? "" : pairs.toFixed(0))), ratio];
  });
  return table(["Store", "One row", "1,000 rows", "Times as many"], rows);
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((_, column) => Math.max(3, ...[heads, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(heads), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

const rounded = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** A part of the page that a script writes, between two marks. */
interface Place {
  readonly begin: string;
  readonly end: string;
}

const ofWorkloads: Place = { begin: "<!-- measured: written by `npm run bench` -->", end: "<!-- end of what was measured -->" };
const ofCounters: Place = { begin: "<!-- measured: written by `npm run bench:counters` -->", end: "<!-- end of the counters -->" };

/** Puts the table in its place on the page, with where and when it was measured. */
export const writePage = (figures: readonly Figure[], now: Date, page = ownPage): void => write(ofWorkloads, tableOf(figures), now, page);

/** The same for the counters, in a place of their own. */
export const writeCounters = (figures: readonly CounterFigure[], now: Date, page = ownPage): void =>
  write(ofCounters, counterTableOf(figures), now, page);

function write({ begin, end }: Place, written: string, now: Date, page: string): void {
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has lost the mark ${from < 0 ? begin : end}.`);
  const machine = `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown processor"}, ${process.platform} ${process.arch}`;
  const where = `Measured on ${now.toISOString().slice(0, 10)} with Node ${process.versions.node} on ${machine}, one run of the script.`;
  writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${where}\n\n${written}\n\n${text.slice(to)}`);
}
