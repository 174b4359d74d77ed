// How big things may get: what does not fit on a screen or a few is not read.
import ts from "typescript";
import { lineOf, nodesOf, placeOf, type Rule, type SourceFile } from "./source.ts";

const limits = { fileLines: 400, functionLines: 60, nesting: 4 };

/** From here on a file is worth a thought, no more. */
const thoughtfulFileLines = 250;

const linesOf = (file: SourceFile): number => file.tree.text.replace(/\n$/, "").split("\n").length;

export const fileSizeProblems: Rule = (files) =>
  files
    .filter((file) => linesOf(file) > limits.fileLines)
    .map(
      (file) => `${file.path}:1: has ${linesOf(file)} lines, at most ${limits.fileLines} are allowed; give a part of it a file of its own`,
    );

/** Not breaches: files that grow towards one. */
export const largeFiles: Rule = (files) =>
  files
    .filter((file) => linesOf(file) > thoughtfulFileLines)
    .map((file) => `${file.path}: ${linesOf(file)} lines, think at ${thoughtfulFileLines}`);

export const functionSizeProblems: Rule = (files) =>
  files.flatMap((file) =>
    [...nodesOf(file.tree)].filter(hasBody).flatMap((node) => {
      const lines = lineOf(file, node.end) - lineOf(file, node.getStart(file.tree)) + 1;
      if (lines <= limits.functionLines) return [];
      return [
        `${placeOf(file, node)}: ${nameOf(node)} has ${lines} lines, at most ${limits.functionLines} are allowed; give its parts names`,
      ];
    }),
  );

const hasBody = (node: ts.Node): node is ts.FunctionLikeDeclaration => ts.isFunctionLike(node) && "body" in node && node.body !== undefined;

function nameOf(node: ts.FunctionLikeDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) || ts.isPropertyAssignment(node.parent) ? node.parent.name : undefined);
  return named ? `${named.getText()}()` : "a function";
}

export const nestingProblems: Rule = (files) =>
  files.flatMap((file) => {
    const problems: string[] = [];
    const visit = (node: ts.Node, outer: number) => {
      const depth = ts.isFunctionLike(node) ? 0 : outer + (deepens(node) ? 1 : 0);
      if (depth > limits.nesting)
        problems.push(
          `${placeOf(file, node)}: is nested ${depth} deep, at most ${limits.nesting} are allowed; return early or name the inner part`,
        );
      else ts.forEachChild(node, (child) => visit(child, depth));
    };
    visit(file.tree, 0);
    return problems;
  });

/** An `else if` stands beside its `if`, not inside it. */
function deepens(node: ts.Node): boolean {
  if (ts.isIfStatement(node)) return !(ts.isIfStatement(node.parent) && node.parent.elseStatement === node);
  return ts.isIterationStatement(node, false) || ts.isSwitchStatement(node) || ts.isTryStatement(node);
}
