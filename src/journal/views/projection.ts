// A view: the event a consumer sees for an entry. Content stays behind.

import type { Charge } from "../../core/cost.ts";
import type { RunEvent } from "../../core/events.ts";
import type { Entry, NoteAdded } from "../../core/journal.ts";
import { recall } from "../../core/json.ts";
import { usdOf } from "../../core/price.ts";

export function project(entry: Entry): RunEvent | undefined {
  const { at } = entry;
  switch (entry.type) {
    case "run.started":
      return { type: "run.started", at, runId: entry.runId, agent: entry.agent };
    case "run.resumed":
      return { type: "run.resumed", at };
    case "stage.done":
      return { type: "stage.finished", at, key: entry.key, stage: stageOf(entry.key), durationMs: at - entry.startedAt };
    case "attempt.started":
      return { type: "attempt.started", at, key: entry.key, kind: entry.kind, name: entry.name, attempt: entry.attempt };
    case "attempt.failed": {
      const { key, kind, name, attempt, error, retryAt } = entry;
      return {
        type: "attempt.failed",
        at,
        key,
        kind,
        name,
        attempt,
        code: error.code,
        ...usdIn(entry),
        ...(retryAt === undefined ? {} : { retryAt }),
      };
    }
    case "step.done":
    case "step.abandoned": {
      const { key, kind, name, attempts, code } = entry;
      return { type: "step.finished", at, key, kind, name, attempts, ...(code ? { code } : {}), ...usdIn(entry) };
    }
    case "note":
      return noteEvent(entry);
    case "run.stopped":
    case "run.ended":
      return { type: "run.finished", at, status: entry.status, ...(entry.error ? { code: entry.error.code } : {}) };
    case "decided":
      return undefined;
  }
}

/** What an attempt cost in US dollars, where that is known. */
export const usdIn = ({ cost }: { readonly cost?: Charge }) => (cost?.nanoUsd === undefined ? {} : { usd: usdOf(cost.nanoUsd) });

function noteEvent({ at, key, note, detail }: NoteAdded): RunEvent {
  if (note !== "budget-near") return { type: "note.added", at, key, note };
  const { scope, measure, limit, spent, reserved } = recall<Omit<Extract<RunEvent, { type: "budget.near" }>, "type" | "at" | "key">>(
    detail ?? {},
  );
  return { type: "budget.near", at, key, scope, measure, limit, spent, reserved };
}

/** The name of a stage, which is the last segment of its path. */
export const stageOf = (key: string): string => key.slice(key.lastIndexOf("/") + 1);
