// What the compiler has to do for a file of fifty tools, by its own account. Counts are the same on every machine; times are not.
import { createProject, type Project, root } from "../project.ts";
import { fiftyTools, type Library, libraries, type Manner, manners } from "./fifty-tools.ts";

/** One run of the compiler. Milliseconds; `totalMs` is all of it, from reading the files on, `checkMs` the checking alone. */
export interface TypeCost {
  readonly instantiations: number;
  readonly types: number;
  readonly checkMs: number;
  readonly totalMs: number;
}

/** A project with a file for each library and manner, against airworthy's declarations. Remove it when done. */
export async function createFixtures(): Promise<Project> {
  const project = await createProject("types", "declarations");
  for (const library of libraries) {
    for (const manner of manners) {
      const name = nameOf(library, manner);
      project.write(`${name}.ts`, fiftyTools(library, manner));
      project.write(`${name}.json`, JSON.stringify({ extends: `${root}/tsconfig.json`, include: [], files: [`${name}.ts`] }));
    }
  }
  return project;
}

/** Compiles one file, with one thread: several would share out the work anew each time. Throws when there is anything to complain of. */
export async function typeCost(project: Project, library: Library, manner: Manner): Promise<TypeCost> {
  const said = await project.compile("-p", `${nameOf(library, manner)}.json`, "--extendedDiagnostics", "--singleThreaded");
  if (said.includes("error TS")) throw new Error(said);
  const figure = (name: string) => {
    const found = new RegExp(`^${name}: +([\\d.]+)`, "m").exec(said)?.[1];
    if (found === undefined) throw new Error(`The compiler does not tell ${name}:\n${said}`);
    return Number(found);
  };
  return {
    instantiations: figure("Instantiations"),
    types: figure("Types"),
    checkMs: Math.round(figure("Check time") * 1000),
    totalMs: Math.round(figure("Total time") * 1000),
  };
}

const nameOf = (library: Library, manner: Manner) => `${library}-${manner}`.replaceAll(/\W/g, "-").toLowerCase();
