// A run as the text of a file, and back: one entry a line, byte for byte what a store keeps.
import { AgentError } from "../core/errors.ts";
import type { Entry } from "../core/journal.ts";
import { decode, encode } from "./codec.ts";

/** JSON lines: for keeping a run, and for replaying it elsewhere. It holds all the content of the run. */
export function exportRun(entries: readonly Entry[]): string {
  return entries.map((entry) => `${encode(entry)}\n`).join("");
}

/** Throws `journal_corrupt` and `journal_format_unknown`, naming the line; also for what does not begin with the start of a run. */
export function importRun(text: string): readonly Entry[] {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line) => line.replace(/\r$/, ""));
  const entries = lines.flatMap((line, index) => (line === "" && index === lines.length - 1 ? [] : [decodeAt(line, index + 1)]));
  const again = entries.findIndex(({ type }, index) => type === "run.started" && index > 0);
  if (again > 0) throw new AgentError("journal_corrupt", `Line ${again + 1}: a run starts only once.`, { details: { line: again + 1 } });
  if (entries[0]?.type !== "run.started") throw new AgentError("journal_corrupt", "This text does not begin with the start of a run.");
  return entries;
}

function decodeAt(line: string, number: number): Entry {
  try {
    return decode(line);
  } catch (thrown) {
    if (!AgentError.is(thrown)) throw thrown;
    throw new AgentError(thrown.code, `Line ${number}: ${thrown.message}`, { details: { line: number } });
  }
}
