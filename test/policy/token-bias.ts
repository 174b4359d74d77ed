// Prints how far token counts are above o200k, kind by kind, on texts of a folder of JSON lines: node --conditions=airworthy-source, then this and the folder.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { countTokens, exactTokens } from "airworthy/tokens";
import { samples } from "./token-samples.ts";

const exact = exactTokens();

function print(kind: string, texts: readonly string[]): void {
  const counted = texts.filter((text) => text !== "").map((text) => ({ estimate: countTokens(text), real: exact(text) }));
  const ratios = counted.map(({ estimate, real }) => estimate / real).toSorted((one, other) => one - other);
  const sum = (of: "estimate" | "real") => counted.reduce((all, one) => all + one[of], 0);
  const shown = [sum("estimate") / sum("real"), ratios[0], ratios[Math.floor(ratios.length / 2)], ratios.at(-1)];
  const below = counted.filter(({ estimate, real }) => estimate < real).length;
  console.log(`| ${kind} | ${ratios.length} | ${shown.map((value) => (value ?? Number.NaN).toFixed(2)).join(" | ")} | ${below} |`);
}

/** The texts of every line that has one, by the file, its source and its language. */
function readKinds(folder: string): ReadonlyMap<string, readonly string[]> {
  const kinds = new Map<string, string[]>();
  for (const file of globSync("**/*.{jsonl,json,md}", { cwd: folder })) {
    const content = readFileSync(join(folder, file), "utf8");
    if (!file.endsWith(".jsonl")) kinds.set(file, content.match(/[\s\S]{1,4000}/g) ?? []);
    for (const line of file.endsWith(".jsonl") ? content.split("\n").filter(Boolean) : []) {
      const { text, lang = "", source = "" }: { text: string; lang?: string; source?: string } = JSON.parse(line);
      const kind = `${file} ${source} ${lang}`.trim();
      kinds.set(kind, [...(kinds.get(kind) ?? []), text]);
    }
  }
  return kinds;
}

console.log("| kind | texts | total | least | median | most | below |\n| --- | --- | --- | --- | --- | --- | --- |");
for (const [kind, texts] of Object.entries(samples)) print(kind, texts);
const folder = process.argv[2];
if (!folder || !existsSync(folder)) console.log("There is no folder to read; these were the samples of the tests.");
else {
  const kinds = readKinds(folder);
  for (const [kind, texts] of kinds) print(kind, texts);
  print("all of the folder", [...kinds.values()].flat());
}
