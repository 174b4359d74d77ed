// Fingerprints and chance, both derived from names, so that a second pass over a journal meets the same ones.
import { hash } from "node:crypto";
import type { Json } from "./json.ts";

/** A short fingerprint; equal values have an equal print. */
export function printOf(value: Json): string {
  return hash("sha256", JSON.stringify(value), "base64url").slice(0, 22);
}

/** A number in [0, 1) that depends on `seed` alone: same run, same place, same chance. */
export function randomAt(seed: string): number {
  return Number.parseInt(hash("sha256", seed, "hex").slice(0, 13), 16) / 2 ** 52;
}
