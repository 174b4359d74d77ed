// The package as a user gets it: packed from what is built, and installed by npm into an empty project. Needs `npm run build` and a registry.
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import { root } from "../project.ts";

/** `airworthy`, `airworthy/openai`, ... */
export const entries = Object.keys(manifest.exports)
  .filter((subpath) => subpath !== "./package.json")
  .map((subpath) => subpath.replace(/^\./, manifest.name));

export const optionalPeers = Object.keys(manifest.peerDependenciesMeta);

export interface Installed {
  /** The project, with a package.json that asks for nothing but airworthy. */
  readonly path: string;
  /** What is in the package, relative to it. Sizes in bytes. */
  readonly files: readonly string[];
  readonly packedSize: number;
  readonly unpackedSize: number;
  /** Names of everything npm has put into node_modules, airworthy included, and the bytes of it all. */
  readonly packages: readonly string[];
  readonly installedSize: number;
  /** Runs Node in the project. Answers what it wrote, warnings included; rejects when it fails. */
  readonly node: (...args: readonly string[]) => Promise<string>;
  readonly remove: () => void;
}

const run = promisify(execFile);

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

export async function installPackage(): Promise<Installed> {
  if (!existsSync(join(root, "dist/index.js"))) throw new Error("There is nothing to pack yet: npm run build");
  const path = realpathSync(mkdtempSync(join(tmpdir(), "airworthy-installed-")));
  const packed = await pack(path);
  writeFileSync(join(path, "package.json"), JSON.stringify({ name: "empty", private: true }));
  await run("npm", ["install", "--no-audit", "--no-fund", `./${packed.filename}`], { cwd: path });
  return {
    path,
    files: packed.files.map((file) => file.path),
    packedSize: packed.size,
    unpackedSize: packed.unpackedSize,
    packages: globSync("node_modules/{*,@*/*}/package.json", { cwd: path })
      .map((file) => dirname(file).replace("node_modules/", ""))
      .toSorted(),
    installedSize: readdirSync(join(path, "node_modules"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0),
    node: async (...args) => {
      const { stdout, stderr } = await run(process.execPath, args, { cwd: path });
      return stdout + stderr;
    },
    remove: () => rmSync(path, { recursive: true }),
  };
}

async function pack(destination: string): Promise<Packed> {
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", destination], { cwd: root });
  const [packed]: Packed[] = JSON.parse(stdout);
  if (!packed) throw new Error(`npm pack made nothing:\n${stdout}`);
  return packed;
}
