// Importing the root entry as users have it: built, in a fresh process.
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { askChild } from "../child.ts";
import { best, type Workload } from "../measure.ts";

const root = resolve(import.meta.dirname, "../../..");

/** Builds the package into a folder from which it finds what is installed; the folder is gone afterwards. */
async function withBuilt<T>(work: (entry: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "airworthy-bench-"));
  try {
    await symlink(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    const tsup = join(root, "node_modules/tsup/dist/cli-default.js");
    await promisify(execFile)(process.execPath, [tsup, "--no-dts", "--silent", "--out-dir", join(folder, "dist")], { cwd: root });
    return await work(pathToFileURL(join(folder, "dist/index.js")).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}

export const importing: Workload = {
  name: "import",
  measure: (effort) =>
    withBuilt(async (entry) => {
      const times: number[] = [];
      for (let round = 0; round < effort.rounds; round++) {
        times.push(Number(await askChild("import-process.ts", [entry])));
        effort.tell(round + 1, effort.rounds);
      }
      return [{ what: "import of the root entry", unit: "ms", ours: best(times), aim: 40 }];
    }),
};
