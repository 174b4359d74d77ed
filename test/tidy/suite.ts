// What the tests themselves must keep to: all of them run, and none waits for the wall clock.
import ts from "typescript";
import { nodesOf, placeOf, type Rule } from "./source.ts";

const leftOut = ["skip", "only", "todo"];
const longestSleepMs = 100;

/** `skipIf` and `runIf` are fine: they say when. */
export const leftOutProblems: Rule = (files) =>
  files.flatMap((file) =>
    [...nodesOf(file.tree)]
      .filter((node) => isLeftOut(node))
      .map((node) => `${placeOf(file, node)}: leaves tests out (${node.getText(file.tree).split("\n")[0]}); let it run, or delete it`),
  );

function isLeftOut(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) return leftOut.includes(node.name.text) && isTestFunction(rootOf(node));
  if (!ts.isPropertyAssignment(node) || !leftOut.includes(node.name.getText())) return false;
  const call = node.parent.parent;
  return ts.isCallExpression(call) && isTestFunction(rootOf(call.expression));
}

function rootOf(node: ts.Expression): ts.Expression {
  return ts.isPropertyAccessExpression(node) || ts.isCallExpression(node) ? rootOf(node.expression) : node;
}

const isTestFunction = (node: ts.Expression) => ts.isIdentifier(node) && /^(test|it|describe|suite|bench)$|Test$/.test(node.text);

export const sleepProblems: Rule = (files) =>
  files.flatMap((file) =>
    [...nodesOf(file.tree)]
      .filter((node) => ts.isCallExpression(node) && isTimer(node.expression) && node.arguments.some(isLong))
      .map(
        (node) => `${placeOf(file, node)}: waits ${longestSleepMs} ms or more of real time; use a fake clock, or await the event itself`,
      ),
  );

const isTimer = (node: ts.Expression) => /^(globalThis\.)?set(Timeout|Interval)$/.test(node.getText());
const isLong = (node: ts.Expression) => ts.isNumericLiteral(node) && Number(node.text) >= longestSleepMs;
