// What a model is asked with, made unchangeable: neither a test nor an adapter may change it.

/** `value` itself, frozen with all that is in it. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const part of Object.values(value)) frozen(part);
    Object.freeze(value);
  }
  return value;
}
