// Counting tokens exactly as o200k does, by the optional package gpt-tokenizer: in parts, for on long runs it takes quadratic time.
import { createRequire } from "node:module";
import { requirePackage } from "../../core/optional-package.ts";

/** Units of a part at most: merging takes up to milliseconds then. A cut within a run adds a token or two, and never takes one away. */
const longestPart = 2_000;

/**
 * gpt-tokenizer remembers a hundred thousand pieces; once it is full, putting out the oldest takes longer and longer. So it is emptied
 * before: a part has at most as many pieces as units.
 */
const partsRemembered = 40;

/** A space between two letters: there o200k cuts anyway, and the space goes with what follows. */
const wordsMeet = /^\p{L} \p{L}$/u;

/**
 * A function that counts a text's tokens by o200k, the encoding of GPT-4o and later; to be given as `policy.budget.countTokens`. Takes time
 * in proportion to the text. Throws `configuration_invalid` when gpt-tokenizer is not installed.
 */
export function exactTokens(): (text: string) => number {
  const require = createRequire(import.meta.url);
  const tokenizer = requirePackage(
    "gpt-tokenizer",
    "exactTokens of airworthy/tokens",
    (): typeof import("gpt-tokenizer/encoding/o200k_base") => require("gpt-tokenizer/encoding/o200k_base"),
  );
  // Names of special tokens are text where users and tools say them, with the providers as well.
  const options = { disallowedSpecial: new Set<string>() };
  let parts = 0;
  return (text) => {
    let sum = 0;
    for (let start = 0; start < text.length; ) {
      if (parts++ % partsRemembered === 0) tokenizer.clearMergeCache();
      const end = endOfPart(text, start);
      sum += tokenizer.countTokens(text.slice(start, end), options);
      start = end;
    }
    return sum;
  };
}

/** Between two words where there are any in the part's second half; else where it is full, but never within a surrogate pair. */
function endOfPart(text: string, start: number): number {
  const furthest = start + longestPart;
  if (furthest >= text.length) return text.length;
  for (let at = furthest; at > furthest - longestPart / 2; at--) {
    if (text.charCodeAt(at) === 0x20 && wordsMeet.test(text.slice(at - 1, at + 2))) return at;
  }
  const last = text.charCodeAt(furthest - 1);
  return last >= 0xd800 && last < 0xdc00 ? furthest - 1 : furthest;
}
