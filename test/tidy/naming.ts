// How files are called and how they introduce themselves: a reader finds things by name and learns from the first line what a file owns.
import { posix } from "node:path";
import type { Rule } from "./source.ts";

const kebabCase = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Names that say where something was put, not what it is. */
const empty = /^(utils?|common|helpers?|managers?|base|impl|types?|misc|shared)$|-(utils?|helpers?|managers?|impl)$/;

const shortestIntroduction = 20;

export const nameProblems: Rule = (files) =>
  files.flatMap(({ path }) => {
    const names = path.replace(/\.ts$/, "").split("/").slice(1);
    return [
      ...names
        .filter((name) => !kebabCase.test(name))
        .map((name) => `${path}:1: ${name} is not kebab-case; rename it, as in circuit-breaker.ts`),
      ...names.filter((name) => empty.test(name)).map((name) => `${path}:1: ${name} says nothing; name it after its main export`),
    ];
  });

export const introductionProblems: Rule = (files) =>
  files.flatMap(({ path, tree }) => {
    const lines = tree.text.split("\n");
    const first = (lines[0]?.startsWith("#!") ? lines[1] : lines[0]) ?? "";
    const says = /^\/\/ (.*)$/.exec(first)?.[1]?.trim() ?? "";
    if (says.length >= shortestIntroduction) return [];
    return [
      `${path}:1: ${posix.basename(path)} does not say what it owns; begin it with a // line of at least ${shortestIntroduction} characters`,
    ];
  });
