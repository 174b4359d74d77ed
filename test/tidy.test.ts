// The rules of the house, held against the repository. Layers, cycles and dead files are checked here and nowhere else.
import { basename, dirname, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import { banProblems, suppressionProblems } from "./tidy/bans.ts";
import { cycleProblems, deadFileProblems, layerProblems, packageProblems, rootProblems } from "./tidy/imports.ts";
import { introductionProblems, nameProblems } from "./tidy/naming.ts";
import { fileSizeProblems, functionSizeProblems, largeFiles, nestingProblems } from "./tidy/sizes.ts";
import { type Rule, readSource, readSources, textsIn } from "./tidy/source.ts";
import { leftOutProblems, sleepProblems } from "./tidy/suite.ts";

const root = resolve(import.meta.dirname, "..");
const entries = textsIn(readSource(root, "tsup.config.ts")).filter((text) => text.startsWith("src/"));
const sources = readSources(root, "src");
const tests = readSources(root, "test");

const forSources: readonly (readonly [string, Rule])[] = [
  ["files import only their own folder and what lies further in", layerProblems],
  ["no import cycles, types included", cycleProblems],
  ["packages stay in the folder that owns them, and users have them", packageProblems(manifest)],
  ["the root entry reaches no SDK, no database, no optional package", rootProblems("src/index.ts", manifest)],
  ["every file is reached from an entry", deadFileProblems(entries)],
  ["files are short", fileSizeProblems],
  ["functions are short", functionSizeProblems],
  ["control flow is flat", nestingProblems],
  ["nothing banned is written", banProblems],
  ["no checker is silenced", suppressionProblems],
  ["names say what a file is about", nameProblems],
  ["the first line says what a file owns", introductionProblems],
];

const forTests: readonly (readonly [string, Rule])[] = [
  ["no test is left out", leftOutProblems],
  ["no test sleeps", sleepProblems],
];

describe("src", () => {
  test.each(forSources)("%s", (_, problemsIn) => {
    expect(problemsIn(sources)).toEqual([]);
  });

  test("each export and command of the package is built from an entry, and each entry is one", () => {
    const exported = Object.keys(manifest.exports).filter((name) => name !== "./package.json");
    const commands = Object.keys(manifest.bin).map((name) => `./${name}`);
    expect(entries.map(subpathOf)).toEqual([...exported, ...commands]);
  });

  afterAll(() => {
    const large = largeFiles(sources);
    if (large.length > 0) console.info(large.join("\n"));
  });
});

describe("test", () => {
  test.each(forTests)("%s", (_, problemsIn) => {
    expect(problemsIn(tests)).toEqual([]);
  });
});

/** `.` of `src/index.ts`, `./openai` of `src/providers/openai.ts`, `./testing` of `src/testing/index.ts`. */
function subpathOf(entry: string): string {
  const name = entry.replace(/^src\//, "").replace(/\.ts$/, "");
  if (name === "index") return ".";
  return `./${basename(name) === "index" ? dirname(name) : basename(name)}`;
}
