// What a word costs in tokens: by its triples of letters in Latin, by rates of the script elsewhere; upward, as measured on o200k.
import { isCommon } from "./common-characters.ts";
import { letterTriples, tripleTokens } from "./letter-triples.ts";

/** Estimates of the triples are means of many words; about a fifth more is kept for the words and languages they were not taken from. */
const tripleFactor = 1.18;

/** A word as o200k cuts them: letters, maybe with one mark or space before them and a contraction behind. */
export function wordTokens(piece: string): number {
  const first = piece.charCodeAt(0);
  const isLed = !isLetter(first) && first < 0x300;
  const quote = piece.lastIndexOf("'");
  const end = quote > 0 ? quote : piece.length;
  let sum = quote > 0 ? 0.4 : 0;
  let at = isLed ? 1 : 0;
  let words = 0;
  while (at < end) {
    const script = scriptOf(piece.charCodeAt(at));
    let until = at + 1;
    while (until < end && scriptOf(piece.charCodeAt(until)) === script) until++;
    sum += script === latin ? latinTokens(piece, at, until, first) : script.tokens(piece, at, until);
    at = until;
    words++;
  }
  if (isLed && first !== 0x20) sum += first > 0x7f ? 1.5 : 0;
  return Math.max(1, words > 1 ? sum + 0.3 * words : sum);
}

function latinTokens(piece: string, start: number, end: number, first: number): number {
  let triples = 0;
  let foreign = 0;
  let upper = 0;
  let [one, two] = [0, letterOf(piece.charCodeAt(start))];
  for (let at = start; at < end; at++) {
    const unit = piece.charCodeAt(at);
    if (unit > 0x7f) foreign += unit < 0x180 ? 0.55 : unit >= 0x1e00 ? 0.45 : 1.2;
    else if (unit < 0x60) upper++;
    const three = at + 1 < end ? letterOf(piece.charCodeAt(at + 1)) : 0;
    triples += tripleTokens[Number(letterTriples[one]?.[two * 27 + three])] ?? 0;
    [one, two] = [two, three];
  }
  const letters = end - start;
  const isShouted = upper > 1;
  const isMixed = isShouted && upper < letters;
  // What breaks often breaks more often than its mean says: names, mixed languages, random letters.
  const broken = triples + 0.18 * Math.max(0, triples - 0.5);
  const factor = isShouted || letters > wordLength + 5 ? tripleFactor * 1.2 : tripleFactor;
  return 1 + factor * broken + foreign + leadTokens(first, start, letters, upper) + (isMixed ? 0.6 : isShouted && letters > 2 ? 0.45 : 0);
}

/** These are often one token with the letters after them, as in `.length` or `(x`; no other marks are. */
const joining = new Set(Array.from("_.($%#,:/-[=&;')*", (mark) => mark.charCodeAt(0)));

/** What stands before a word: a space is part of its first token; a mark may be; without either, words with a capital are known less. */
function leadTokens(first: number, start: number, letters: number, upper: number): number {
  if (start > 1 || first === 0x20 || first > 0x7f) return start === 0 && first > 0x7f ? 0.1 : 0;
  if (start === 0) return letters === 1 ? 0 : upper === 1 ? 0.15 : 0.1;
  if (!joining.has(first)) return 1;
  return upper > 0 && letters > 1 ? 0.9 : 0.45;
}

/** 1 to 26, whatever the case; 0 for what is no letter of ASCII, which is what stands around a word as well. */
const letterOf = (unit: number) => (isAscii(unit) ? (unit | 0x20) - 0x60 : 0);
const isAscii = (unit: number) => (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
const isLetter = (unit: number) => isAscii(unit) || unit >= 0xc0 || unit === 0xaa || unit === 0xb5 || unit === 0xba;

interface Script {
  readonly tokens: (piece: string, start: number, end: number) => number;
}

/** Few words are longer. */
const wordLength = 15;

/** Letters beyond the length of a word of that script are none of its words: random text, which costs a token a letter. */
const spaced = (rate: number): Script => ({
  tokens: (_, start, end) => Math.max(1, 0.35 + rate * Math.min(end - start, wordLength) + 1.1 * Math.max(0, end - start - wordLength)),
});
const unspaced = (rate: number): Script => ({ tokens: (_, start, end) => Math.max(1, 0.2 + rate * (end - start)) });
/** Everyday characters at `rate`, others at `rare`. */
const listed = (rate: number, rare: number): Script => ({
  tokens: (piece, start, end) => {
    let sum = 0.2;
    for (let at = start; at < end; at++) sum += isCommon(piece.charCodeAt(at)) ? rate : rare;
    return Math.max(1, sum);
  },
});

const latin: Script = spaced(0.5);
const unknown: Script = unspaced(3);
/** Half of a surrogate pair: two of the four bytes. */
const astral: Script = unspaced(2);

/** By the blocks of Unicode, up to `end`; tokens a letter as measured on languages of the script, the dearest of them. */
const scripts: readonly (readonly [end: number, script: Script])[] = [
  [0x250, latin],
  [0x300, unspaced(2)],
  [0x370, unspaced(2)], // combining marks
  [0x400, spaced(0.46)], // Greek
  [0x450, spaced(0.35)], // Cyrillic, the letters of Russian
  [0x530, unspaced(1)], // its other letters
  [0x590, spaced(0.42)], // Armenian
  [0x5d0, unspaced(1.1)], // Hebrew points
  [0x600, spaced(0.5)], // Hebrew
  [0x64b, spaced(0.4)], // Arabic
  [0x700, unspaced(0.9)], // its marks, and letters of other languages
  [0x900, unspaced(2)],
  [0x980, spaced(0.5)], // Devanagari
  [0xa00, spaced(0.47)], // Bengali
  [0xa80, spaced(0.76)], // Gurmukhi
  [0xb00, spaced(0.52)], // Gujarati
  [0xb80, unspaced(1.15)], // Oriya
  [0xc00, spaced(0.6)], // Tamil
  [0xd00, spaced(0.6)], // Telugu, Kannada
  [0xd80, spaced(0.45)], // Malayalam
  [0xe00, spaced(0.66)], // Sinhala
  [0xe80, unspaced(0.56)], // Thai
  [0xf00, unspaced(1)], // Lao
  [0x1000, unspaced(1.8)], // Tibetan
  [0x10a0, unspaced(0.6)], // Burmese
  [0x1100, spaced(0.45)], // Georgian
  [0x1780, unknown],
  [0x1800, unspaced(0.66)], // Khmer
  [0x1e00, unknown],
  [0x1f00, latin],
  [0x2c00, unknown],
  [0x3040, unknown],
  [0x30a0, unspaced(0.8)], // Hiragana
  [0x3100, unspaced(0.9)], // Katakana
  [0x4e00, unknown],
  [0xa000, listed(1.02, 2.5)], // Chinese characters
  [0xac00, unknown],
  [0xd7a4, listed(0.8, 3)], // Hangul
  [0xd800, unknown],
  [0xe000, astral],
];

function scriptOf(unit: number): Script {
  if (unit < 0x250) return latin;
  return scripts.find(([end]) => unit < end)?.[1] ?? unknown;
}
