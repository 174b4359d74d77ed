// Prints how big the package is, what it brings along, and how long each subpath takes to import. Needs `npm run build` and a registry.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { root } from "../project.ts";
import { entries, type Installed, installPackage, optionalPeers } from "./installed.ts";

const runs = 11;

/** Minified and zipped: all that a bundler would take along from the entry, optional packages and those of `leftOut` apart. Bytes. */
async function bundledSize({ path }: Installed, entry: string, leftOut: readonly string[] = []): Promise<number> {
  const file = join(path, "entry.mjs");
  writeFileSync(file, `export * from "${entry}";`);
  const external = [...optionalPeers, ...leftOut].flatMap((name) => [`--external:${name}`, `--external:${name}/*`]);
  const args = [file, "--bundle", "--minify", "--format=esm", "--platform=node", "--log-level=error", ...external];
  const { stdout } = await promisify(execFile)(join(root, "node_modules/.bin/esbuild"), args, { maxBuffer: 2 ** 26 });
  return gzipSync(stdout).length;
}

/** Milliseconds in a process of its own, Node's start not counted. */
async function importTime({ node }: Installed, entry: string): Promise<number> {
  const source = `const begun = performance.now(); await import("${entry}"); console.log(performance.now() - begun);`;
  return Number(await node("--input-type=module", "--eval", source));
}

const median = (values: readonly number[]) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
const kilobytes = (bytes: number) => (bytes / 1e3).toFixed(1);
const line = (first: string, ...cells: readonly (string | number)[]) =>
  console.log(first.padEnd(24) + cells.map((cell) => String(cell).padStart(16)).join(""));

const installed = await installPackage();
const brought = installed.packages.filter((name) => name !== "airworthy");
line("package", "packed, kB", "unpacked, kB", "files");
line("airworthy", kilobytes(installed.packedSize), kilobytes(installed.unpackedSize), installed.files.length);
line("installed, no peers", "packages", "MB");
line("in an empty project", installed.packages.length, (installed.installedSize / 1e6).toFixed(1));

const times = new Map(entries.map((entry): [string, number[]] => [entry, []]));
// The entries take turns, so that a busy moment of the machine falls on all of them.
for (let run = 0; run < runs; run++) for (const [entry, all] of times) all.push(await importTime(installed, entry));

line("entry, min + gzip", "own, kB", "with deps, kB", "import, ms");
for (const [entry, all] of times) {
  const sizes = [await bundledSize(installed, entry, brought), await bundledSize(installed, entry)];
  line(entry, ...sizes.map(kilobytes), median(all).toFixed(1));
}
console.log(`\nNode ${process.versions.node}; import: median of ${runs} processes. Brought along: ${brought.join(", ")}.`);
installed.remove();
