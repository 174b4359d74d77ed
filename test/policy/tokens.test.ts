// Token counts are never below what o200k makes of a text, never wasteful, and take time in proportion to the text.
import { countTokens, exactTokens } from "airworthy/tokens";
import fc from "fast-check";
import { countTokens as o200k } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, test } from "vitest";
import { samples } from "./token-samples.ts";

const exact = exactTokens();
const whole = (text: string) => o200k(text, { disallowedSpecial: new Set() });
const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0);
const all = Object.values(samples).flat();

describe("the estimate", () => {
  test.each(Object.entries(samples))("is never below o200k: %s", (_, texts) => {
    for (const text of texts) expect.soft(countTokens(text), text.slice(0, 60)).toBeGreaterThanOrEqual(whole(text));
  });

  test("is not wasteful: a third above in English, half above at most in kinds that are common", () => {
    const bias = (kind: string) => sum((samples[kind] ?? []).map(countTokens)) / sum((samples[kind] ?? []).map(whole));
    expect(bias("english")).toBeLessThan(1.3);
    for (const kind of ["german", "code", "json", "logs", "urls", "tables", "hex", "numbers", "minified"])
      expect.soft(bias(kind), kind).toBeLessThan(1.5);
    expect(sum(all.map(countTokens)) / sum(all.map(whole))).toBeLessThan(1.4);
  });

  test("is 0 for nothing, else at least 1 and at most the bytes", () => {
    expect(countTokens("")).toBe(0);
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        expect(countTokens(text)).toBeGreaterThanOrEqual(1);
        expect(countTokens(text)).toBeLessThanOrEqual(Buffer.byteLength(text));
      }),
      { seed: 1 },
    );
    expect(countTokens("\ud800")).toBe(3);
  });

  const letters = "abcdefghijklmnopqrstuvwxyz";
  const of = (alphabet: string, minLength = 40) => fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength, maxLength: 400 });
  const words = all.join(" ").match(/[a-zA-Z]{2,}/g) ?? [];
  test.each<[string, fc.Arbitrary<string>]>([
    [
      "words of the samples in any order",
      fc.array(fc.constantFrom(...words), { minLength: 20, maxLength: 200 }).map((some) => some.join(" ")),
    ],
    ["base64", fc.uint8Array({ minLength: 24, maxLength: 300 }).map((some) => Buffer.from(some).toString("base64"))],
    ["hex", fc.uint8Array({ minLength: 24, maxLength: 300 }).map((some) => Buffer.from(some).toString("hex"))],
    ["letters", of(letters)],
    ["letters and digits", of(`${letters}${letters.toUpperCase()}0123456789`)],
    ["digits", of("0123456789.,- ")],
    ["UUIDs", fc.array(fc.uuid(), { minLength: 2, maxLength: 20 }).map((some) => some.join("\n"))],
    [
      "URLs",
      fc.array(fc.webUrl({ withQueryParameters: true, size: "medium" }), { minLength: 3, maxLength: 20 }).map((some) => some.join(" ")),
    ],
    ["JSON", fc.json({ maxDepth: 4, stringUnit: "grapheme-ascii" }).filter((text) => text.length > 40)],
    ["code points of any kind", fc.string({ unit: "binary", minLength: 40, maxLength: 200 })],
    ["emoji", of("😀😃🎉🚀🔥💯👍🙏🥳🍕", 10)],
    ["tag characters", of(Array.from(letters, (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0))).join(""), 5)],
    [
      "repeated white space",
      fc.tuple(fc.constantFrom(" ", "\n", "\t", "\r\n"), fc.integer({ min: 1, max: 400 })).map(([unit, times]) => unit.repeat(times)),
    ],
  ])("is never below o200k on generated texts: %s", (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(countTokens(text)).toBeGreaterThanOrEqual(exact(text));
      }),
      { seed: 42, numRuns: 150 },
    );
  });

  test("grows by the texts that are put after it", () => {
    fc.assert(
      fc.property(fc.constantFrom(...all), fc.constantFrom(...all), (one, other) => {
        expect(countTokens(`${one}\n${other}`)).toBeGreaterThanOrEqual(countTokens(one));
      }),
      { seed: 3 },
    );
  });
});

describe("exact counting", () => {
  test("counts what gpt-tokenizer counts, and a long text at most a little above", () => {
    for (const text of all) if (text.length <= 2_000) expect(exact(text)).toBe(whole(text));
    const long = (samples["english"] ?? []).join(" ").repeat(20);
    expect(exact(long)).toBe(whole(long));
    const cut = (samples["cjk"] ?? []).join("").repeat(40);
    expect(exact(cut)).toBeGreaterThanOrEqual(whole(cut));
    expect(exact(cut)).toBeLessThan(whole(cut) * 1.01);
  });

  test("takes names of special tokens for text, and never cuts a character", () => {
    expect(exact("<|endoftext|>")).toBeGreaterThan(1);
    const rockets = `a${"🚀".repeat(3_000)}`;
    expect(exact(rockets)).toBeLessThan(whole(rockets) + 10);
  });
});

describe("takes time in proportion to the text", () => {
  const units = {
    a: "a",
    base64: "aZ9+",
    han: "漢字",
    spaces: " ",
    emoji: "😀",
    marks: "\u0301",
    newlines: "\n",
    words: "lorem ipsum ",
    upper: "Q",
    quotes: "'s",
  };
  const half = 100_000;
  const took = (count: (text: string) => number, text: string) => {
    const times = Array.from({ length: 3 }, () => {
      const begun = performance.now();
      count(text);
      return performance.now() - begun;
    });
    return Math.min(...times);
  };
  test.each(Object.entries(units))("%s", { timeout: 60_000 }, (_, unit) => {
    const text = unit.repeat((half * 4) / unit.length);
    for (const count of [countTokens, exact]) {
      const [short, long] = [took(count, text.slice(0, half / 2)), took(count, text)];
      // Eight times the text: eight times the time, sixty-four times if it were quadratic.
      expect(long).toBeLessThan(32 * short + 60);
    }
  });
});
