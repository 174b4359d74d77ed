// A view: a run as a table of what happened when, for people. Pure: entries in, rows out.
import type { Entry, StepAbandoned, StepDone } from "../../core/journal.ts";
import { stageOf, usdIn } from "./projection.ts";

/** `atMs` counts from the start of the run. */
export interface TimelineRow {
  readonly atMs: number;
  readonly durationMs?: number;
  readonly kind: "run" | "stage" | "model" | "tool" | "custom" | "attempt" | "decision" | "note";
  /** Path in the run, e.g. `turn-2/tool/0`. */
  readonly key: string;
  readonly what: string;
  readonly outcome: string;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** US dollars, where known: of a step its last attempt, of a failed attempt its own. */
  readonly usd?: number;
}

/** Rows in the order things began: a stage before its steps, a step before its failed attempts. */
export function timeline(entries: readonly Entry[]): readonly TimelineRow[] {
  const start = entries[0]?.at ?? 0;
  const begun = new Map<string, Beginning>();
  let stageOver = 0;
  const placed = entries.map((entry, position) => {
    if (entry.type === "attempt.started" && !begun.has(entry.key)) begun.set(entry.key, { at: entry.at, position });
    const here = { at: entry.at, position };
    const began = isStepEnd(entry) ? (begun.get(entry.key) ?? here) : here;
    // Stages follow one another and are written down when they are over: this one began where the one before it ended.
    if (entry.type === "stage.done") began.position = stageOver + 0.5;
    if (entry.type === "stage.done" || entry.type === "run.resumed") stageOver = position;
    return { position: began.position, row: rowOf(entry, start, began.at) };
  });
  return placed.toSorted((one, other) => one.position - other.position).flatMap(({ row }) => row ?? []);
}

/** When something began, and where in the journal. */
interface Beginning {
  readonly at: number;
  position: number;
}

type StepEnd = StepDone | StepAbandoned;

const isStepEnd = (entry: Entry): entry is StepEnd => entry.type === "step.done" || entry.type === "step.abandoned";

function rowOf(entry: Entry, start: number, begunAt: number): TimelineRow | undefined {
  const atMs = entry.at - start;
  switch (entry.type) {
    case "run.started":
      return { atMs, kind: "run", key: "", what: `${entry.agent} ${entry.agentVersion}`, outcome: "started" };
    case "run.resumed":
      return { atMs, kind: "run", key: "", what: "resumed", outcome: "started" };
    case "run.stopped":
    case "run.ended":
      return { atMs, kind: "run", key: "", what: "end", outcome: entry.error ? `${entry.status}: ${entry.error.code}` : entry.status };
    case "stage.done":
      return {
        atMs: entry.startedAt - start,
        durationMs: entry.at - entry.startedAt,
        kind: "stage",
        key: entry.key,
        what: stageOf(entry.key),
        outcome: "done",
      };
    case "attempt.failed":
      return { atMs, kind: "attempt", key: entry.key, what: `attempt ${entry.attempt}`, outcome: entry.error.code, ...usdIn(entry) };
    case "step.done":
    case "step.abandoned":
      return stepRow(entry, start, begunAt);
    case "decided":
      if (entry.reason === "offer" || entry.reason === "instructions") return undefined;
      return { atMs, kind: "decision", key: entry.key, what: entry.reason, outcome: "decided" };
    case "note":
      return { atMs, kind: "note", key: entry.key, what: entry.note, outcome: "" };
    case "attempt.started":
      return undefined;
  }
}

function stepRow(entry: StepEnd, start: number, begunAt: number): TimelineRow {
  const { inputTokens, outputTokens } = entry.usage ?? {};
  const tries = entry.attempts > 1 ? ` after ${entry.attempts} attempts` : "";
  return {
    atMs: begunAt - start,
    durationMs: entry.at - begunAt,
    kind: entry.kind,
    key: entry.key,
    what: entry.name,
    outcome: (entry.code ?? "done") + tries,
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...usdIn(entry),
  };
}
