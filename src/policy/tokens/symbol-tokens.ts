// What runs of white space, punctuation, emoji and other symbols cost in tokens; upward, as measured on o200k.

/** How many of one kind in a row make a token at most; o200k knows runs of up to about these lengths, and of "\r" alone none worth the name. */
const spacesPerToken = 60;
const breaksPerToken = 12;

/** A run of white space: one token while it is of one kind and short. */
export function spaceTokens(run: string): number {
  let sum = 1;
  let before = run.charCodeAt(0);
  for (let at = 1; at < run.length; at++) {
    const unit = run.charCodeAt(at);
    if (unit === before) sum += unit === 0x20 ? 1 / spacesPerToken : unit === 0x0d ? 0.5 : unit > 0x7f ? 0.2 : 1 / breaksPerToken;
    else sum += changeTokens(before, unit);
    before = unit;
  }
  return sum;
}

/** "\r\n" and spaces around a line's end are often one token; anything else that alternates is about half. */
function changeTokens(before: number, unit: number): number {
  if (before === 0x0d && unit === 0x0a) return 0.13;
  if (before === 0x0a && unit === 0x0d) return 0.13;
  if (unit > 0x7f) return unit < 0x800 ? 1 : 1.6;
  return 0.7;
}

/** A run of punctuation or symbols, with the space before it and the line ends after it. */
export function symbolTokens(run: string): number {
  const isAfterSpace = run.startsWith(" ");
  let ascii = 0;
  let same = 0;
  let breaks = 0;
  let others = 0;
  let before = "";
  for (const symbol of isAfterSpace ? run.slice(1) : run) {
    if (symbol === "\n" || symbol === "\r") breaks += symbol === before ? (symbol === "\r" ? 0.5 : 0.12) : 0.25;
    else if (symbol === before) same += symbol > "\x7f" ? sameTokens(symbol) : 1 / 14;
    else if (symbol > "\x7f" || symbol < " ") others += otherTokens(symbol);
    else ascii++;
    before = symbol;
  }
  return Math.max(
    1,
    asciiTokens(ascii) +
      (ascii > 1 ? Math.min(5 * same, same + 0.6 * ascii) : same) +
      (breaks > 0.25 ? breaks - 0.2 : 0) +
      others +
      (others > 0 && isAfterSpace ? 0.4 : 0),
  );
}

/** Two different marks are mostly one token, as in `",` and `()`; the longer a run, the less o200k knows of it. */
function asciiTokens(marks: number): number {
  if (marks === 0) return 0;
  if (marks <= 2) return 1 + (marks - 1) * 0.1;
  return marks <= 8 ? marks * 0.6 : 4.8 + (marks - 8) * 0.72;
}

/** The same symbol again: lines drawn with box characters are joined, emoji are not. */
const sameTokens = (symbol: string) => (symbol >= "\u2500" && symbol <= "\u257f" ? 0.3 : otherTokens(symbol));

/** By the blocks of Unicode; where nothing is known of a block, every byte is a token. */
const blocks: readonly (readonly [end: number, tokens: number])[] = [
  [0x20, 1.1], // control characters
  [0x100, 1.1],
  [0x800, 2],
  [0x2010, 1.6], // joiners and spaces without width
  [0x2060, 2], // general punctuation but for what is below
  [0x2190, 2.1],
  [0x2200, 2], // arrows
  [0x2500, 2.3],
  [0x25a0, 2], // boxes
  [0x27c0, 2.2], // symbols, dingbats
  [0x3000, 3],
  [0x3040, 1.2], // Chinese and Japanese punctuation
  [0xfe00, 3],
  [0xfe10, 1.2], // variation selectors
  [0xff00, 2.6],
  [0xfff0, 1.5], // full-width punctuation
  [0x1f1e6, 4],
  [0x1f200, 2], // flags
  [0x1f300, 4],
  [0x1f650, 2.3], // emoji
  [0x1f6d0, 2.6],
  [0x1fb00, 3.2],
  [0xe0000, 4],
];

/** Dashes, quotes and the like that prose is full of: a token each. */
const typographic = "\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2022\u2026";

function otherTokens(symbol: string): number {
  if (typographic.includes(symbol)) return 1.1;
  const point = symbol.codePointAt(0) ?? 0;
  return blocks.find(([end]) => point < end)?.[1] ?? 4;
}
