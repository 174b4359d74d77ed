// Keys of counters: what a limit is counted under. Invariant: no two limits share one by accident, whatever ids are.
import type { Limit } from "../core/ledger.ts";
import { printOf } from "../core/print.ts";

/** No part can be taken for two. */
export const keyFor = (parts: readonly string[]): string => parts.map(keyPart).join("/");

/** The longest part that stands in a key as it is; keys have to fit into an index. */
const longestPart = 300;

/** A text as a part of a key: of a long one its print, which no short one can look like. */
export function keyPart(text: string): string {
  const encoded = encodeURIComponent(text).replace(/^~/, "%7E");
  return encoded.length <= longestPart ? encoded : `~${printOf(text)}`;
}

/** The key of a limit in one of its windows. */
export const windowKey = (key: string, name: string): string => (name === "" ? key : `${key}/${keyPart(name)}`);

export const measureOf = (key: string): string => key.slice(0, key.indexOf("/"));

/** The counters of a limit at a time: of its window, and of other parts that count as well. */
export function windowKeys(limit: Pick<Limit, "key" | "at">, now: number): readonly string[] {
  const { name, also } = limit.at(now);
  return [name, ...also].map((part) => windowKey(limit.key, part));
}
