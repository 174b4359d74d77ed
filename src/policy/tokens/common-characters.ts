// Which Chinese characters and Korean syllables are in everyday use, by the standards that listed them: o200k gives these about a token each.

/** Encodings of the web standard, with the rows and columns that hold their first level: the characters of everyday use. */
const ideographs = [
  { encoding: "gbk", rows: [0xb0, 0xd7], columns: [0xa1, 0xfe] },
  { encoding: "shift_jis", rows: [0x89, 0x97], columns: [0x40, 0xfc] },
  { encoding: "big5", rows: [0xa4, 0xc6], columns: [0x40, 0xfe] },
] as const;
const syllables = [{ encoding: "euc-kr", rows: [0xb0, 0xc8], columns: [0xa1, 0xfe] }] as const;

interface Level {
  readonly encoding: string;
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
}

let common: ReadonlySet<number> | undefined;

/** Whether the UTF-16 unit is a character of everyday Chinese or Japanese, or a syllable of everyday Korean. */
export function isCommon(unit: number): boolean {
  common ??= new Set([...ideographs, ...syllables].flatMap(unitsOf));
  return common.has(unit);
}

/** Read when first asked for. Where the platform lacks the encoding nothing counts as common: dearer, never cheaper. */
function unitsOf({ encoding, rows, columns }: Level): readonly number[] {
  try {
    const decoder = new TextDecoder(encoding);
    const units: number[] = [];
    for (let row = rows[0]; row <= rows[1]; row++) {
      for (let column = columns[0]; column <= columns[1]; column++) {
        const decoded = decoder.decode(Uint8Array.of(row, column));
        if (decoded.length === 1) units.push(decoded.charCodeAt(0));
      }
    }
    return units;
  } catch {
    return [];
  }
}
