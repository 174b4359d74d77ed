// The commands of `airworthy` on the command line: they look at runs that were exported to files, and change nothing.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { AgentError } from "../core/errors.ts";
import type { Entry } from "../core/journal.ts";
import { importRun } from "../journal/export-run.ts";
import { diffRuns, renderDiff } from "../journal/views/run-diff.ts";

/** What a command printed, and the process's exit code. */
export interface CommandEnd {
  readonly out: string;
  readonly error: string;
  readonly code: number;
}

const usage = `Usage: airworthy diff <first.jsonl> <second.jsonl>

Compares two runs step by step: kind, name, attempts, tokens, and where input and
outcome differ, by path. Shows no content. The files are what exportRun() wrote.

Exits with 0 when the runs are the same, with 1 when they differ, with 2 when it
cannot tell.
`;

/** Answers what is to be printed; throws nothing. */
export function runCommand(args: readonly string[]): CommandEnd {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" } },
    });
    if (values.help) return { out: usage, error: "", code: 0 };
    const [command, first, second, ...others] = positionals;
    if (command !== "diff" || first === undefined || second === undefined || others.length > 0) return { out: "", error: usage, code: 2 };
    return diff(first, second);
  } catch (thrown) {
    return { out: "", error: `${messageOf(thrown)}\n`, code: 2 };
  }
}

function diff(first: string, second: string): CommandEnd {
  const rows = diffRuns(read(first), read(second));
  return { out: renderDiff(rows), error: "", code: rows.every(({ status }) => status === "same") ? 0 : 1 };
}

function read(path: string): readonly Entry[] {
  try {
    return importRun(readFileSync(path, "utf8"));
  } catch (thrown) {
    throw new AgentError("input_invalid", `${path}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

const messageOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));
