// Who may import whom: layers, outside packages, cycles, dead files. Type imports count, for a type ties files together just as well.
import { isBuiltin } from "node:module";
import { type Import, importsOf, type Rule, type SourceFile } from "./source.ts";

/** Innermost first. A part may import itself and what stands further left; parts of one layer never each other. */
const layers: readonly (readonly string[])[] = [
  ["core"],
  ["journal", "policy", "resilience", "telemetry", "prompts"],
  ["pipeline"],
  ["runs"],
  ["providers", "guardrails", "control", "mcp"],
  ["agent.ts"],
  ["dispatch", "rollout", "evals", "http", "testing", "console", "cli"],
  ["index.ts"],
];
const needOnlyCore: readonly string[] = ["providers", "guardrails"];

/** Packages with one home. `optional`: the root entry must work, and load fast, where they are not installed. */
const homes: readonly { readonly packages: RegExp; readonly home: string; readonly optional: boolean }[] = [
  { packages: /^(openai|ai|@anthropic-ai\/.+|@ai-sdk\/.+)$/, home: "providers", optional: true },
  { packages: /^@modelcontextprotocol\//, home: "mcp", optional: true },
  { packages: /^(pg|better-sqlite3|node:sqlite)$/, home: "journal", optional: true },
  { packages: /^gpt-tokenizer$/, home: "policy", optional: true },
  { packages: /^(opossum|p-retry)$/, home: "resilience", optional: false },
  { packages: /^@opentelemetry\//, home: "telemetry", optional: false },
  { packages: /^@pydantic\/genai-prices$/, home: "policy", optional: false },
];

/** What package.json promises: `dependencies` are always there, `peerDependencies` may be. */
export interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** `core` of `src/core/json.ts`, `agent.ts` of `src/agent.ts`. */
export const partOf = (path: string): string => path.split("/")[1] ?? path;

const layerOf = (path: string) => (path.startsWith("src/") ? layers.findIndex((parts) => parts.includes(partOf(path))) : -1);

function mayImport(from: string, to: string): boolean {
  if (layerOf(to) < 0) return false;
  if (partOf(from) === partOf(to)) return true;
  return layerOf(to) < layerOf(from) && (!needOnlyCore.includes(partOf(from)) || partOf(to) === "core");
}

export const layerProblems: Rule = (files) =>
  files.flatMap((file) => {
    if (layerOf(file.path) < 0) return [`${file.path}:1: belongs to no layer; move it into one of ${layers.flat().join(", ")}`];
    return pathsIn(file)
      .filter(({ path }) => !mayImport(file.path, path))
      .map(({ place, path }) => `${place}: must not import ${path}; move what is shared further in, or hand it in as an argument`);
  });

export const cycleProblems: Rule = (files) => {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const state = new Map<string, "open" | "closed">();
  const problems: string[] = [];
  const visit = (file: SourceFile, trail: readonly string[]) => {
    state.set(file.path, "open");
    for (const { path, place } of pathsIn(file)) {
      const next = byPath.get(path);
      if (!next || state.get(path) === "closed") continue;
      const way = [...trail, file.path];
      if (state.get(path) !== "open") visit(next, way);
      else
        problems.push(
          `${place}: closes the cycle ${[...way.slice(way.indexOf(path)), path].join(" > ")}; move what both need into a third file`,
        );
    }
    state.set(file.path, "closed");
  };
  for (const file of files) if (!state.has(file.path)) visit(file, []);
  return problems;
};

export const packageProblems =
  (manifest: Manifest): Rule =>
  (files) =>
    files.flatMap((file) => importsOf(file).flatMap((imported) => packageProblem(file, imported, manifest)));

function packageProblem(file: SourceFile, { name, path, place }: Import, manifest: Manifest): string[] {
  if (name === undefined) return [`${place}: computes the name of a module; write the name out, so that it can be checked and bundled`];
  if (path !== undefined) return [];
  const wanted = packageOf(name);
  if (isBuiltin(wanted) && !wanted.startsWith("node:")) return [`${place}: imports ${wanted}; write node:${wanted}`];
  const home = homes.find(({ packages }) => packages.test(wanted))?.home;
  if (home && home !== partOf(file.path)) return [`${place}: imports ${wanted}, which only src/${home}/ may; use what that folder offers`];
  const listed = isBuiltin(wanted) || wanted in manifest.dependencies || wanted in manifest.peerDependencies;
  return listed ? [] : [`${place}: imports ${wanted}; list it under dependencies or peerDependencies, else users do not have it`];
}

/** What `entry` reaches must be there for everybody: node, own files, `dependencies`. */
export const rootProblems =
  (entry: string, manifest: Manifest): Rule =>
  (files) => {
    const ways = waysFrom([entry], files);
    const reached = files.filter((file) => ways.has(file.path));
    return reached.flatMap((file) =>
      importsOf(file)
        .filter(({ name, path }) => name !== undefined && path === undefined && !isAlwaysThere(packageOf(name), manifest))
        .map(
          ({ name, place }) =>
            `${place}: ties the root entry to ${name} by ${ways.get(file.path)?.join(" > ")}; keep it behind a subpath of its own`,
        ),
    );
  };

function isAlwaysThere(wanted: string, manifest: Manifest): boolean {
  if (homes.some(({ packages, optional }) => optional && packages.test(wanted))) return false;
  return isBuiltin(wanted) || wanted in manifest.dependencies;
}

export const deadFileProblems =
  (entries: readonly string[]): Rule =>
  (files) => {
    const ways = waysFrom(entries, files);
    const known = new Set(files.map((file) => file.path));
    return [
      ...entries
        .filter((entry) => !known.has(entry))
        .map((entry) => `${entry}:1: is an entry of tsup.config.ts and does not exist; write it`),
      ...files
        .filter((file) => !ways.has(file.path))
        .map((file) => `${file.path}:1: no entry of tsup.config.ts reaches this file; export it or delete it`),
    ];
  };

/** For every file reached from `entries` the way to it, by first arrival. */
function waysFrom(entries: readonly string[], files: readonly SourceFile[]): ReadonlyMap<string, readonly string[]> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const ways = new Map<string, readonly string[]>(entries.map((entry) => [entry, [entry]]));
  for (const [reached, way] of ways) {
    const file = byPath.get(reached);
    for (const { path } of file ? pathsIn(file) : []) if (!ways.has(path)) ways.set(path, [...way, path]);
  }
  return ways;
}

const pathsIn = (file: SourceFile) => importsOf(file).flatMap(({ path, place }) => (path === undefined ? [] : [{ path, place }]));

const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
