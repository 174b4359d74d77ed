// The journals of earlier releases: a folder a release, a run a file, beside it what the run came to. What a release has written is never
// written again, and the scenarios they come from are not changed either: a new one is added instead.
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { type RecordedRun, recordedRuns } from "../promises/recorded-runs.ts";

export const folder = import.meta.dirname;

export const fileNameOf = ({ name }: RecordedRun): string => name.toLowerCase().replaceAll(/[^a-z]+/g, "-");

export interface Golden {
  readonly name: string;
  readonly run: RecordedRun;
  readonly lines: readonly string[];
  /** The result as JSON text. */
  readonly result: string;
}

export const goldens: readonly Golden[] = globSync("*/*.jsonl", { cwd: folder })
  .toSorted()
  .map((path) => {
    const [release, file] = [basename(dirname(path)), basename(path, ".jsonl")];
    const run = recordedRuns.find((one) => fileNameOf(one) === file);
    if (!run) throw new Error(`No scenario is called ${file} any more; put back the one that ${path} comes from.`);
    const read = (name: string) => readFileSync(resolve(folder, release, name), "utf8").trimEnd();
    return { name: `${release} ${file}`, run, lines: read(`${file}.jsonl`).split("\n"), result: read(`${file}.result`) };
  });
