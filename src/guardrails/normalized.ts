// Text as it looks: one spelling per character, nothing hidden, no longer than allowed. What was hidden is reported, never passed on.
import type { Finding, Guardrail } from "../core/guardrail.ts";

export interface NormalizedOptions {
  /** Longest text let through, in UTF-8 bytes; default 100,000. */
  readonly maxBytes?: number;
}

/**
 * Rewrites to Unicode NFKC without characters that cannot be seen (zero-width, direction overrides, tag characters, controls except tab
 * and line breaks); blocks what is longer than `maxBytes` with `input_too_long`. For any guard point; meant for `input`.
 */
export function normalized({ maxBytes = 100_000 }: NormalizedOptions = {}): Guardrail {
  return {
    name: "normalized",
    check: ({ text }) => {
      if (isLonger(text, maxBytes)) {
        return { verdict: "block", code: "input_too_long", message: `The text is longer than the ${maxBytes} bytes allowed.` };
      }
      const { visible, findings } = reveal(text.toWellFormed());
      const clean = visible.normalize("NFKC");
      if (clean === text) return { verdict: "pass" };
      // NFKC can make text longer (one ligature, eighteen letters): the limit holds for what goes on, too.
      if (isLonger(clean, maxBytes)) {
        return { verdict: "block", code: "input_too_long", message: `The normalised text is longer than the ${maxBytes} bytes allowed.` };
      }
      return { verdict: "rewrite", text: clean, findings };
    },
  };
}

const isLonger = (text: string, maxBytes: number) => text.length > maxBytes || Buffer.byteLength(text) > maxBytes;

const kinds: Readonly<Record<string, RegExp>> = {
  "tag-characters": /[\u{E0000}-\u{E00FF}]/u,
  "zero-width":
    /\u034F|[\u00AD\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200D\u2060-\u2065\u206A-\u206F\u3164\uFEFF\uFFA0\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}]/u,
  "direction-override": /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u,
  "variation-selector": /[\uFE00-\uFE0F]|[\u{E0100}-\u{E0FFF}]/u,
  control: /(?![\t\n\r])[\p{Cc}\uFFF0-\uFFFB]/u,
};

const invisible = new RegExp(
  Object.values(kinds)
    .map(({ source }) => source)
    .join("|"),
  "gu",
);

// Joiners are letters of some scripts and the glue of emoji; between those they are meant to be there.
const joined =
  /^(?:[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Mongolian}]|\p{Extended_Pictographic}|\p{Emoji_Modifier}|\uFE0F)$/u;

/** Drops what cannot be seen; answers the text and, per kind, where it first stood. */
function reveal(text: string): { readonly visible: string; readonly findings: readonly Finding[] } {
  const first = new Map<string, Finding>();
  const visible = text.replace(invisible, (character: string, at: number) => {
    if ((character === "\u200C" || character === "\u200D") && isJoiner(text, at)) return character;
    if ((character === "\uFE0E" || character === "\uFE0F") && isPresented(text, at)) return character;
    const kind = Object.keys(kinds).find((name) => kinds[name]?.test(character)) ?? "control";
    if (!first.has(kind)) first.set(kind, { kind, span: [at, at + character.length] });
    return "";
  });
  return { visible, findings: [...first.values()] };
}

// One selector after an emoji or a key says how it is to look; more of them, or elsewhere, say nothing that can be seen.
const isPresented = (text: string, at: number) => /^[\p{Extended_Pictographic}\p{Emoji_Modifier}0-9#*]$/u.test(characterBefore(text, at));

function isJoiner(text: string, at: number): boolean {
  const after = text.codePointAt(at + 1);
  return after !== undefined && joined.test(characterBefore(text, at)) && joined.test(String.fromCodePoint(after));
}

// No /[\s\S]$/u: in Node 26 a class before the end of an expression does not find a surrogate pair, unless the flag is v.
const characterBefore = (text: string, at: number) => Array.from(text.slice(Math.max(0, at - 2), at)).at(-1) ?? "";
