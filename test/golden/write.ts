// `npm run golden`: writes the journals of this release. What is there is left alone. Until a release is out its folder may be deleted and
// written anew, when the format has changed.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { record, recordedRuns } from "../promises/recorded-runs.ts";
import { fileNameOf, folder } from "./journals.ts";

const { version }: { version: string } = JSON.parse(readFileSync(resolve(folder, "../../package.json"), "utf8"));
mkdirSync(resolve(folder, version), { recursive: true });
for (const run of recordedRuns) {
  const file = resolve(folder, version, fileNameOf(run));
  if (existsSync(`${file}.jsonl`)) continue;
  const { lines, result } = await record(run, "plain");
  writeFileSync(`${file}.jsonl`, `${lines.join("\n")}\n`);
  writeFileSync(`${file}.result`, `${JSON.stringify(result)}\n`);
}
