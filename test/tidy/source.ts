// Source files as the rules of the house see them: parsed once, asked for their syntax, imports and comments, never for their raw text.
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

/** `path` is relative to the repository, with forward slashes, so that a message can be clicked. */
export interface SourceFile {
  readonly path: string;
  readonly tree: ts.SourceFile;
}

/** Answers one line per breach: file, line, what is wrong, what to do. */
export type Rule = (files: readonly SourceFile[]) => string[];

export const parse = (path: string, text: string): SourceFile => ({
  path,
  tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true),
});

/** Every `.ts` file below `folder`, which is relative to `root`. */
export function readSources(root: string, folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .toSorted()
    .map((path) => readSource(root, path));
}

export const readSource = (root: string, path: string): SourceFile => parse(path, readFileSync(join(root, path), "utf8"));

/** `node` and everything below it. */
export function* nodesOf(node: ts.Node): Generator<ts.Node> {
  yield node;
  const children: ts.Node[] = [];
  ts.forEachChild(node, (child) => void children.push(child));
  for (const child of children) yield* nodesOf(child);
}

export const lineOf = (file: SourceFile, position: number): number => file.tree.getLineAndCharacterOfPosition(position).line + 1;

/** `path:line`, the start of every message. */
export const placeOf = (file: SourceFile, node: ts.Node): string => `${file.path}:${lineOf(file, node.getStart(file.tree))}`;

export interface Import {
  /** As written. Undefined when it is computed at run time. */
  readonly name: string | undefined;
  /** The repository path a relative import leads to. */
  readonly path: string | undefined;
  readonly place: string;
}

/** Everything the file pulls in: `import`, `import type`, `export from`, `import()` as value and as type, `require()`. */
export function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  for (const node of nodesOf(file.tree)) {
    const named = moduleNamedBy(node);
    if (!named) continue;
    const name = ts.isStringLiteralLike(named) ? named.text : undefined;
    const path = name?.startsWith(".") ? posix.join(posix.dirname(file.path), name) : undefined;
    imports.push({ name, path, place: placeOf(file, node) });
  }
  return imports;
}

function moduleNamedBy(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument;
  if (!ts.isCallExpression(node)) return undefined;
  const loads =
    node.expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(node.expression) && node.expression.text === "require");
  return loads ? node.arguments[0] : undefined;
}

/** The strings written in a file. */
export const textsIn = (file: SourceFile): string[] =>
  [...nodesOf(file.tree)].flatMap((node) => (ts.isStringLiteralLike(node) ? [node.text] : []));

export interface Comment {
  readonly text: string;
  readonly line: number;
}

/** Real comments only: what looks like one inside a string or a template is none. */
export function commentsOf(file: SourceFile): Comment[] {
  const text = file.tree.text;
  const found = new Map<number, Comment>();
  const collect = (token: ts.Node) => {
    const ranges = [...(ts.getLeadingCommentRanges(text, token.pos) ?? []), ...(ts.getTrailingCommentRanges(text, token.end) ?? [])];
    for (const { pos, end } of ranges) found.set(pos, { text: text.slice(pos, end), line: lineOf(file, pos) });
  };
  const visit = (node: ts.Node) => {
    const children = node.getChildren(file.tree);
    if (children.length === 0) collect(node);
    else for (const child of children) visit(child);
  };
  visit(file.tree);
  return [...found.values()];
}
