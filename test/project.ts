// A project as a user has it, outside the repository: what is installed there is what is installed here, and airworthy itself.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import manifest from "../package.json" with { type: "json" };

export const root = resolve(import.meta.dirname, "..");
const compiler = join(root, "node_modules/@typescript/native/bin/tsc");

export interface Project {
  readonly path: string;
  readonly write: (file: string, text: string) => void;
  /** Runs Node in the project. Rejects when it fails. */
  readonly node: (...args: readonly string[]) => Promise<string>;
  /** Everything the compiler says, problems included. */
  readonly compile: (...args: readonly string[]) => Promise<string>;
  readonly remove: () => void;
}

/**
 * `airworthy` there are the sources, which need the condition `airworthy-source`, or the declarations alone, as a user's compiler sees
 * them.
 */
export async function createProject(name: string, airworthy: "sources" | "declarations" = "sources"): Promise<Project> {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `airworthy-${name}-`)));
  const write = (file: string, text: string) => writeFileSync(join(path, file), text);
  const node = async (...args: readonly string[]) => (await promisify(execFile)(process.execPath, args, { cwd: path })).stdout;
  const compile = (...args: readonly string[]) =>
    node(compiler, ...args).catch((failure: { stdout: string; stderr: string }) => failure.stdout + failure.stderr);

  mkdirSync(join(path, "node_modules"));
  const installed = readdirSync(join(root, "node_modules")).filter((folder) => !folder.startsWith("."));
  for (const folder of installed) symlinkSync(join(root, "node_modules", folder), join(path, "node_modules", folder), "junction");
  write("package.json", JSON.stringify({ name, private: true, type: "module" }));
  write("tsconfig.json", JSON.stringify({ extends: join(root, "tsconfig.json"), include: ["*.ts"] }));
  if (airworthy === "sources") symlinkSync(root, join(path, "node_modules/airworthy"), "junction");
  else await declare(join(path, "node_modules/airworthy"), compile);
  return { path, write, node, compile, remove: () => rmSync(path, { recursive: true }) };
}

/** The package as it is published, with nothing in it but types. */
async function declare(folder: string, compile: Project["compile"]) {
  const sources = Object.entries(manifest.exports).flatMap(([subpath, to]) =>
    typeof to === "string" ? [] : [[subpath, to["airworthy-source"].replace(/\.ts$/, ".d.ts")]],
  );
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "airworthy", type: "module", exports: Object.fromEntries(sources) }));
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: join(root, "tsconfig.json"), include: [join(root, "src")], compilerOptions: { rootDir: root, outDir: "." } }),
  );
  const said = await compile("-p", folder, "--noEmit", "false", "--emitDeclarationOnly", "--declarationMap", "false");
  if (said !== "") throw new Error(said);
}
