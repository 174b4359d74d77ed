// Entries to lines of text and back; the only place that knows how an entry is written.
import { AgentError } from "../core/errors.ts";
import { type Entry, journalFormat } from "../core/journal.ts";

export function encode(entry: Entry): string {
  return JSON.stringify(entry);
}

/** Throws `journal_format_unknown` for a journal of a newer release. */
export function decode(line: string): Entry {
  const entry: Entry = JSON.parse(line);
  if (entry.type === "run.started" && entry.format > journalFormat) {
    throw new AgentError("journal_format_unknown", `This journal has format ${entry.format}; this release reads up to ${journalFormat}.`);
  }
  return entry;
}
