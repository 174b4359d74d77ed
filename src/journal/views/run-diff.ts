// A view: two runs side by side, step by step. It says where they differ, by paths, and shows nothing of what stands there.
import { type Closing, type Entry, isClosing, type StepDone } from "../../core/journal.ts";
import type { Json } from "../../core/json.ts";
import { jsonDifferences } from "../../core/json-difference.ts";
import type { Usage } from "../../core/usage.ts";

/** One run's side of a row. */
export interface DiffSide {
  readonly kind: "model" | "tool" | "custom" | "choice" | "end";
  /** Model id or tool name, the reason of a choice, the status of an end. */
  readonly name: string;
  /** `done` or a code; of a step without an outcome `unfinished`. */
  readonly outcome: string;
  /** 0 for choices and ends. */
  readonly attempts: number;
  readonly usage?: Usage;
}

/** What a step, a choice or the end was in one run and in the other. */
export interface DiffRow {
  /** Path in the run, e.g. `turn-2/tool/0`; `end` for the end. */
  readonly key: string;
  readonly status: "same" | "changed" | "only-first" | "only-second";
  /** What differs, as paths: `name`, `attempts`, `input/arguments`, `value/content`; at most ten each of `input` and `value`. */
  readonly changes: readonly string[];
  readonly first?: DiffSide;
  readonly second?: DiffSide;
}

/** Steps, choices and the end of both, in the order of the first; what only the second has stands where it came. Times are not compared. */
export function diffRuns(first: readonly Entry[], second: readonly Entry[]): readonly DiffRow[] {
  const [one, other] = [itemsOf(first), itemsOf(second)];
  return mergedKeys([...one.keys()], [...other.keys()]).map((key) => rowOf(key, one.get(key), other.get(key)));
}

/** For people: a line a row, what is the same in a row only counted. */
export function renderDiff(rows: readonly DiffRow[]): string {
  const lines: string[] = [];
  let same = 0;
  const flush = () => {
    if (same > 0) lines.push(`  ${same} the same`);
    same = 0;
  };
  for (const row of rows) {
    if (row.status === "same") same += 1;
    else {
      flush();
      lines.push(...linesOf(row));
    }
  }
  flush();
  // Names come from files: nothing in them speaks to the terminal.
  return lines.map((line) => `${line.replaceAll(/\p{Cc}/gu, "\uFFFD")}\n`).join("");
}

interface Item {
  readonly side: DiffSide;
  readonly input: Json | undefined;
  readonly value: Json | undefined;
}

function itemsOf(entries: readonly Entry[]): ReadonlyMap<string, Item> {
  const items = new Map<string, Item>();
  let end: Closing | undefined;
  for (const entry of entries) {
    if (entry.type === "run.resumed") end = undefined;
    else if (isClosing(entry)) end = entry;
    else if (entry.type === "decided") {
      const side: DiffSide = { kind: "choice", name: entry.reason, outcome: "done", attempts: 0 };
      items.set(entry.key, { side, input: undefined, value: entry.choice });
    } else if (entry.type === "attempt.started") {
      const { kind, name, attempt, key } = entry;
      const input = entry.input ?? items.get(key)?.input;
      items.set(key, { side: { kind, name, outcome: "unfinished", attempts: attempt }, input, value: undefined });
    } else if (entry.type === "step.done") items.set(entry.key, doneItem(entry, items.get(entry.key)));
  }
  const side: DiffSide = { kind: "end", name: end?.status ?? "none", outcome: end?.error?.code ?? "done", attempts: 0 };
  return items.set("end", { side, input: undefined, value: undefined });
}

function doneItem({ kind, name, attempts, outcome, code, usage, input }: StepDone, before: Item | undefined): Item {
  const said = code ?? (outcome.ok ? "done" : outcome.error.code);
  return {
    side: { kind, name, outcome: said, attempts, ...(usage ? { usage } : {}) },
    input: input ?? before?.input,
    value: outcome.ok ? outcome.value : undefined,
  };
}

/** What only the second has is put after what stands before it there. */
function mergedKeys(first: readonly string[], second: readonly string[]): readonly string[] {
  const known = new Set(first);
  const after = new Map<string, string[]>();
  let before = "";
  for (const key of second) {
    if (known.has(key)) before = key;
    else after.set(before, [...(after.get(before) ?? []), key]);
  }
  return ["", ...first].flatMap((key) => [...(key === "" ? [] : [key]), ...(after.get(key) ?? [])]);
}

function rowOf(key: string, one: Item | undefined, other: Item | undefined): DiffRow {
  const sides = { ...(one ? { first: one.side } : {}), ...(other ? { second: other.side } : {}) };
  if (!one || !other) return { key, status: one ? "only-first" : "only-second", changes: [], ...sides };
  const changes = [
    ...(["kind", "name", "outcome", "attempts"] as const).filter((field) => one.side[field] !== other.side[field]),
    ...(jsonDifferences(jsonOf(one.side.usage), jsonOf(other.side.usage)).length > 0 ? ["usage"] : []),
    ...jsonDifferences(one.input, other.input).map((path) => `input${path}`),
    ...jsonDifferences(one.value, other.value).map((path) => `value${path}`),
  ];
  return { key, status: changes.length > 0 ? "changed" : "same", changes, ...sides };
}

const jsonOf = (usage: Usage | undefined): Json | undefined => (usage ? JSON.parse(JSON.stringify(usage)) : undefined);

const marks = { changed: "~", "only-first": "-", "only-second": "+" } as const;

function linesOf({ key, status, changes, first, second }: DiffRow): readonly string[] {
  if (status === "same") return [];
  const [one, other] = [textOf(first), textOf(second)];
  const told = one === other || !one || !other ? one || other : `${one} -> ${other}`;
  const where = changes.length > 0 ? [`    ${changes.join(", ")}`] : [];
  return [`${marks[status]} ${key}  ${told}`, ...where];
}

function textOf(side: DiffSide | undefined): string {
  if (!side) return "";
  const { kind, name, outcome, attempts, usage } = side;
  const tries = attempts > 1 ? ` after ${attempts} attempts` : "";
  const tokens = usage?.inputTokens === undefined ? "" : `, ${usage.inputTokens}+${usage.outputTokens ?? 0} tokens`;
  return `${kind} ${name}: ${outcome}${tries}${tokens}`;
}
