// Entries to lines of text and back; the only place that knows how an entry is written.
import { AgentError } from "../core/errors.ts";
import { type Entry, journalFormat } from "../core/journal.ts";

export function encode(entry: Entry): string {
  return JSON.stringify(entry);
}

const types: ReadonlySet<string> = new Set<Entry["type"]>([
  "run.started",
  "run.resumed",
  "attempt.started",
  "attempt.failed",
  "step.done",
  "step.abandoned",
  "decided",
  "stage.done",
  "note",
  "run.stopped",
  "run.ended",
]);

/** Throws `journal_corrupt` for what is no entry, and `journal_format_unknown` for one of a newer release: neither may be gone on with. */
export function decode(line: string): Entry {
  const entry = parse(line);
  if (!types.has(entry.type))
    throw new AgentError("journal_format_unknown", `This journal has an entry "${entry.type}", which this release does not know.`);
  if ((entry.type === "run.started" || entry.type === "run.resumed") && entry.format > journalFormat) {
    throw new AgentError("journal_format_unknown", `This journal has format ${entry.format}; this release reads up to ${journalFormat}.`);
  }
  return entry;
}

function parse(line: string): Entry {
  try {
    const entry: Entry = JSON.parse(line);
    if (typeof entry?.type === "string" && typeof entry.at === "number") return entry;
  } catch {
    // told below, without the line: it may hold content
  }
  throw new AgentError("journal_corrupt", "A line of this journal is no entry.");
}
