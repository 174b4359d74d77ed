// Loads a package users may have or not, when the first thing that needs it is made. Invariant: where it is not installed, that is said at once, in words.
import { AgentError } from "./errors.ts";

/**
 * Begins to load the package `name` and answers where to wait for it. Throws `configuration_invalid`, naming the command that installs
 * it, when it is not there; where that cannot be found out at once (bundlers, edges), what is answered rejects so.
 */
export function loadPackage<Package>(name: string, subpath: string, load: () => Promise<Package>): () => Promise<Package> {
  if (isMissing(name)) throw notInstalled(name, subpath);
  const loading = load().catch((thrown: unknown) => {
    throw codeOf(thrown) === "ERR_MODULE_NOT_FOUND" ? notInstalled(name, subpath, thrown) : thrown;
  });
  loading.catch(() => {}); // told to whoever waits
  return () => loading;
}

/** The package itself, at once, for what cannot wait; `require` finds it. Throws as `loadPackage` does. */
export function requirePackage<Package>(name: string, subpath: string, require: () => Package): Package {
  try {
    return require();
  } catch (thrown) {
    throw codeOf(thrown) === "MODULE_NOT_FOUND" ? notInstalled(name, subpath, thrown) : thrown;
  }
}

function isMissing(name: string): boolean {
  try {
    import.meta.resolve(name);
    return false;
  } catch (thrown) {
    return codeOf(thrown) === "ERR_MODULE_NOT_FOUND";
  }
}

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && "code" in thrown ? thrown.code : undefined);

const notInstalled = (name: string, subpath: string, cause?: unknown) =>
  new AgentError("configuration_invalid", `${subpath} needs the package ${name}, which is not installed: npm install ${name}`, {
    hint: `Run npm install ${name}.`,
    cause,
  });
