// Entries to lines of text and back; the only place that knows how an entry is written.
import { AgentError } from "../core/errors.ts";
import { type Entry, journalFormat } from "../core/journal.ts";
import { isObject } from "../core/json.ts";

export function encode(entry: Entry): string {
  return JSON.stringify(entry);
}

/** What every entry of a type has besides `type` and `at`; without it nothing can be made of it. */
const fields: Readonly<Record<Entry["type"], readonly string[]>> = {
  "run.started": ["format", "runId", "agent", "agentVersion", "input", "caps"],
  "run.resumed": ["format", "agentVersion", "caps"],
  "attempt.started": ["key", "kind", "name", "attempt"],
  "attempt.failed": ["key", "kind", "name", "attempt", "error"],
  "step.done": ["key", "kind", "name", "attempts", "outcome"],
  "step.abandoned": ["key", "kind", "name", "attempts", "code"],
  decided: ["key", "reason", "choice"],
  "stage.done": ["key", "startedAt"],
  note: ["key", "note"],
  "run.stopped": ["status"],
  "run.ended": ["status"],
};

/** Throws `journal_corrupt` for what is no entry, and `journal_format_unknown` for one of a newer release: neither may be gone on with. */
export function decode(line: string): Entry {
  const entry = parse(line);
  if (!Object.hasOwn(fields, entry.type))
    throw new AgentError("journal_format_unknown", `This journal has an entry "${entry.type}", which this release does not know.`);
  if ((entry.type === "run.started" || entry.type === "run.resumed") && entry.format > journalFormat) {
    throw new AgentError("journal_format_unknown", `This journal has format ${entry.format}; this release reads up to ${journalFormat}.`);
  }
  if (!fields[entry.type].every((field) => isOfItsKind(field, Reflect.get(entry, field)))) throw corrupt();
  return entry;
}

const texts: ReadonlySet<string> = new Set(["runId", "agent", "agentVersion", "key", "kind", "name", "reason", "note", "status"]);
const numbers: ReadonlySet<string> = new Set(["format", "attempt", "attempts", "startedAt"]);
const objects: ReadonlySet<string> = new Set(["caps", "outcome", "error"]);

/** What a field has to be for the code that reads it; of what the user's code recorded only that it is there. */
function isOfItsKind(field: string, value: unknown): boolean {
  if (texts.has(field)) return typeof value === "string";
  if (numbers.has(field)) return typeof value === "number";
  return objects.has(field) ? isObject(value) : value !== undefined;
}

const corrupt = () => new AgentError("journal_corrupt", "A line of this journal is no entry.");

function parse(line: string): Entry {
  try {
    const entry: Entry = JSON.parse(line);
    if (typeof entry?.type === "string" && typeof entry.at === "number") return entry;
  } catch {
    // told below, without the line: it may hold content
  }
  throw corrupt();
}
