// What may not be written in src, found in the syntax tree: the same words in a comment or a string are harmless.
import ts from "typescript";
import { partOf } from "./imports.ts";
import { commentsOf, nodesOf, placeOf, type Rule, type SourceFile } from "./source.ts";

interface Ban {
  /** What the code does, as the message says it. */
  readonly what: string;
  readonly instead: string;
  readonly matches: (node: ts.Node, file: SourceFile) => boolean;
  /** Parts of src it holds in; everywhere when absent. */
  readonly within?: readonly string[];
}

/** Where a second pass over a journal has to meet the same time, chance and ids. */
const replayed = ["core", "journal", "policy", "prompts", "pipeline", "telemetry"];

/** Stores are not replayed: what they reckon by the machine's clock (leases, holds, waiting) is no part of any entry. It is used here alone. */
const storeClock = "src/journal/store-clock.ts";

const errorClasses = ["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError", "AggregateError"];

const member =
  (object: string, name: string) =>
  (node: ts.Node): boolean =>
    isAccess(node) && nameAt(node) === name && lastName(node.expression) === object;

/** The global of that name, used as a value or imported under whatever name; not a property that happens to be called so. */
const ambient =
  (name: string) =>
  (node: ts.Node): boolean => {
    if (!ts.isIdentifier(node) || node.text !== name) return false;
    const { parent } = node;
    if (ts.isPropertyAccessExpression(parent) && parent.name === node) return lastName(parent.expression) === "globalThis";
    const isOnlyAName = (ts.isPropertyAssignment(parent) || ts.isTypeElement(parent) || ts.isClassElement(parent)) && parent.name === node;
    return !isOnlyAName;
  };

const timed = (what: string, matches: Ban["matches"]): Ban => ({ what, matches, within: replayed, instead: "use the run's clock" });
const random = (what: string, matches: Ban["matches"]): Ban => ({
  what,
  matches,
  within: replayed,
  instead: "derive it from the run id and the step's path",
});

const bans: readonly Ban[] = [
  timed("reads Date.now", (node, file) => file.path !== storeClock && member("Date", "now")(node)),
  timed("asks Date for the present", isPresentDate),
  timed("reads performance.now", member("performance", "now")),
  timed("starts a timer with setTimeout", (node, file) => file.path !== storeClock && ambient("setTimeout")(node)),
  timed("starts a timer with setInterval", ambient("setInterval")),
  timed("starts a timer with AbortSignal.timeout", member("AbortSignal", "timeout")),
  random("calls Math.random", member("Math", "random")),
  random("makes a randomUUID", (node) => ambient("randomUUID")(node) || member("crypto", "randomUUID")(node)),
  {
    what: "writes to the console",
    matches: (node) => isAccess(node) && lastName(node.expression) === "console",
    instead: "emit an event or return the facts",
  },
  { what: "reads process.env", matches: readsEnvironment, instead: "take it as an option; the caller decides where settings come from" },
  {
    what: "uses the type any",
    matches: (node) => node.kind === ts.SyntaxKind.AnyKeyword,
    instead: "write the type, or unknown and a check",
  },
  { what: "casts by way of unknown", matches: castsTwice, instead: "check the value, or correct the types" },
  { what: "makes an error without a code", matches: makesPlainError, instead: "make an AgentError with a code of core/errors.ts" },
  {
    what: "declares another class of errors",
    matches: (node, file) => file.path !== "src/core/errors.ts" && extendsError(node),
    instead: "add a code to core/errors.ts and use AgentError",
  },
  { what: "declares with using", matches: declaresWithUsing, instead: "write try and finally: Node 22 cannot read it" },
  { what: "declares an enum", matches: ts.isEnumDeclaration, instead: "use a union of literals" },
  { what: "declares a namespace", matches: ts.isModuleDeclaration, instead: "export from the file" },
  { what: "exports a default", matches: exportsDefault, instead: "export it by name" },
];

export const banProblems: Rule = (files) =>
  files.flatMap((file) => {
    const holding = bans.filter(({ within }) => !within || within.includes(partOf(file.path)));
    return [...nodesOf(file.tree)].flatMap((node) =>
      holding.filter(({ matches }) => matches(node, file)).map(({ what, instead }) => `${placeOf(file, node)}: ${what}; ${instead}`),
    );
  });

const directive = /^[\s/*]*(@ts-(?:ignore|nocheck|expect-error)|(?:oxlint|eslint)-disable\S*|biome-ignore\S*)/m;

/** Comments that silence a checker. */
export const suppressionProblems: Rule = (files) =>
  files.flatMap((file) =>
    commentsOf(file).flatMap(({ text, line }) => {
      const found = directive.exec(text)?.[1];
      return found ? [`${file.path}:${line}: silences a checker with ${found}; correct what it complains about`] : [];
    }),
  );

function isPresentDate(node: ts.Node): boolean {
  if (ts.isCallExpression(node)) return ts.isIdentifier(node.expression) && node.expression.text === "Date";
  return ts.isNewExpression(node) && lastName(node.expression) === "Date" && !node.arguments?.length;
}

function readsEnvironment(node: ts.Node): boolean {
  if (member("process", "env")(node)) return true;
  const isEnv = (ts.isBindingElement(node) || ts.isImportSpecifier(node)) && (node.propertyName ?? node.name).getText() === "env";
  if (!isEnv) return false;
  if (ts.isImportSpecifier(node)) return /process/.test(node.parent.parent.parent.moduleSpecifier.getText());
  const holder = node.parent.parent;
  return ts.isVariableDeclaration(holder) && holder.initializer !== undefined && lastName(holder.initializer) === "process";
}

function castsTwice(node: ts.Node): boolean {
  if (!isCast(node)) return false;
  const inner = bare(node.expression);
  return isCast(inner) && inner.type.kind === ts.SyntaxKind.UnknownKeyword;
}

const isCast = (node: ts.Node): node is ts.AssertionExpression => ts.isAsExpression(node) || ts.isTypeAssertionExpression(node);

function makesPlainError(node: ts.Node): boolean {
  return (ts.isNewExpression(node) || ts.isCallExpression(node)) && errorClasses.includes(lastName(node.expression) ?? "");
}

function extendsError(node: ts.Node): boolean {
  if (!ts.isHeritageClause(node) || node.token !== ts.SyntaxKind.ExtendsKeyword || !ts.isClassLike(node.parent)) return false;
  return node.types.some(({ expression }) => errorClasses.includes(lastName(expression) ?? ""));
}

function exportsDefault(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === "default";
  return ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
}

type Access = ts.PropertyAccessExpression | ts.ElementAccessExpression;
const isAccess = (node: ts.Node): node is Access => ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node);

function nameAt(node: Access): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  return ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : undefined;
}

/** `Date` of `Date` and of `globalThis.Date`. */
function lastName(node: ts.Expression): string | undefined {
  const inner = bare(node);
  if (ts.isIdentifier(inner)) return inner.text;
  return isAccess(inner) && lastName(inner.expression) === "globalThis" ? nameAt(inner) : undefined;
}

const bare = (node: ts.Expression): ts.Expression => (ts.isParenthesizedExpression(node) ? bare(node.expression) : node);

function declaresWithUsing(node: ts.Node): boolean {
  return ts.isVariableDeclarationList(node) && (node.flags & ts.NodeFlags.Using) !== 0;
}
