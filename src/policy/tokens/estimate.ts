// How many tokens a text has, from above: linear in time on any text, and biased so that a budget holds. No vocabulary is loaded for it.
import { spaceTokens, symbolTokens } from "./symbol-tokens.ts";
import { wordTokens } from "./word-tokens.ts";

/**
 * The way o200k cuts a text into pieces before it looks for tokens; no token reaches over a cut. Words, digits, symbols, white space: what
 * is estimated piece by piece can be wrong within a piece only.
 */
const pieces =
  /([^\r\n\p{L}\p{N}]?(?:[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)(?:'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE]))?)|(\p{N}{1,3})|( ?[^\s\p{L}\p{N}]+[\r\n/]*)|(?:\s*[\r\n]+|\s+(?!\S)|\s+)/gu;

/** Pieces end here at the latest, so that the expression never looks far, whatever the text; a cut adds a token or two. */
const chunkLength = 4_096;

/** The parts of a text stray from their means together: what is kept for that grows with the root of the count, and a token for short texts. */
const kept = 1;

/**
 * An upper estimate of the tokens of a text by o200k. At least 1 for a text that is not empty, and never more than its bytes in UTF-8: no
 * tokenizer that works on bytes makes more of it.
 */
export function countTokens(text: string): number {
  if (text === "") return 0;
  let sum = 0;
  for (let start = 0; start < text.length; start += chunkLength) sum += chunkTokens(text.slice(start, start + chunkLength));
  return Math.max(1, Math.min(bytesOf(text), Math.ceil(sum + kept * Math.sqrt(sum) + 1)));
}

function chunkTokens(chunk: string): number {
  let sum = 0;
  for (const [piece, word, digits, symbols] of chunk.matchAll(pieces)) {
    if (word !== undefined) sum += wordTokens(piece);
    else if (digits !== undefined) sum += digitTokens(piece);
    else sum += symbols === undefined ? spaceTokens(piece) : symbolTokens(piece);
  }
  return sum;
}

/** One token for up to three of 0 to 9; other digits are rarely joined. */
function digitTokens(digits: string): number {
  let sum = 0;
  for (const digit of digits) if (digit > "\x7f") sum += digit > "\uffff" ? 4 : 1.6;
  return Math.max(1, sum);
}

/** Bytes in UTF-8, without making them; a lone surrogate becomes the three of U+FFFD. */
function bytesOf(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (isPair(unit, text.charCodeAt(at + 1))) {
      bytes += 4;
      at++;
    } else bytes += 3;
  }
  return bytes;
}

const isPair = (unit: number, next: number) => unit >= 0xd800 && unit < 0xdc00 && next >= 0xdc00 && next < 0xe000;
