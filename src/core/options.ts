// Checking options: what is unknown or of the wrong kind is an error that names it, never ignored.
import { AgentError, type ErrorCode } from "./errors.ts";

export type Check = (value: unknown) => boolean;
/** A check, or one that says in words what it wants; never quotes what was given, for it may be a secret. */
export type Checks = Readonly<Record<string, Check | { readonly holds: Check; readonly wanted: string }>>;

export const isText: Check = (value) => typeof value === "string" && value.trim() !== "" && value.length <= 512 && value.isWellFormed();
export const isFunction: Check = (value) => typeof value === "function";
export const isCount: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
export const isPositiveCount: Check = (value) => isCount(value) && value !== 0;
export const isNumber: Check = (value) => typeof value === "number" && Number.isFinite(value);
/** Milliseconds, bytes and the like: more than nothing, and finite. */
export const isAmount: Check = (value) => isNumber(value) && Number(value) > 0;
export const isFlag: Check = (value) => typeof value === "boolean";
export const isList: Check = (value) => Array.isArray(value);
export const isTextList: Check = (value) => Array.isArray(value) && value.every((item) => typeof item === "string");
export const anything: Check = () => true;

/** What is given as one or as several. */
export const severalOf = <T>(given: T | readonly T[]): readonly T[] => (isSeveral(given) ? given : [given]);

const isSeveral = <T>(given: T | readonly T[]): given is readonly T[] => Array.isArray(given);

/** An object that is not a list, a function, or a Map whose entries nobody would see. */
export const isRecord: Check = (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Map);

export const oneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    typeof value === "string" && allowed.includes(value);

/** An object, or an instance of a class, that can do these. */
export const objectWith =
  (...methods: readonly string[]): Check =>
  (value) =>
    typeof value === "object" && value !== null && methods.every((method) => typeof Reflect.get(value, method) === "function");

/** Throws `errorCode` for an option that is unknown or of the wrong kind; one that is undefined counts as not given. */
export function checkOptions(errorCode: ErrorCode, where: string, given: unknown, checks: Checks): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new AgentError(errorCode, `${where} has to be an object.`);
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (!check) throw new AgentError(errorCode, `${where} knows no option "${name}"; it takes ${Object.keys(checks).join(", ")}.`);
    const { holds, wanted } = typeof check === "function" ? { holds: check, wanted: undefined } : check;
    if (value === undefined || holds(value)) continue;
    throw new AgentError(errorCode, `${where} cannot use what was given as "${name}"${wanted ? `; it has to be ${wanted}` : ""}.`);
  }
}
