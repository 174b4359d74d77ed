// What a call cost and what it can cost at most: by hand for single cases, and for any price and usage that the most is never passed.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ModelPrice } from "../../src/core/price.ts";
import { costOf, dearestRates, type FullUsage, worstCase } from "../../src/policy/prices/cost.ts";

const none: FullUsage = { inputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, outputTokens: 0, reasoningTokens: 0 };
const used = (some: Partial<FullUsage>): FullUsage => ({ ...none, ...some });
const atMost = (price: ModelPrice, input: number, output: number) => {
  const { base, perOutputToken } = worstCase(price, input);
  return base + Math.ceil(output * perOutputToken);
};

const plain: ModelPrice = { input: 2, cacheRead: 0.1, cacheWrite: 2.5, output: 10, reasoning: 12 };

describe("costOf", () => {
  test.each<[string, Partial<FullUsage>, number]>([
    ["nothing", {}, 0],
    ["input", { inputTokens: 1_000_000 }, 2_000_000_000],
    ["input, some of it cached", { inputTokens: 1000, cacheReadTokens: 400, cacheWriteTokens: 100 }, 500 * 2000 + 400 * 100 + 100 * 2500],
    ["output", { outputTokens: 3 }, 30_000],
    ["output, some of it reasoning", { outputTokens: 3, reasoningTokens: 2 }, 10_000 + 24_000],
    ["cached tokens beyond the input", { inputTokens: 1, cacheReadTokens: 5, cacheWriteTokens: 5 }, 5 * 100 + 5 * 2500],
    ["reasoning beyond the output", { outputTokens: 1, reasoningTokens: 4 }, 48_000],
    ["counts that are none", { inputTokens: Number.NaN, outputTokens: -5 }, 0],
    ["part of a token", { outputTokens: 0.5 }, 10_000],
  ])("charges %s", (_, usage, cost) => {
    expect(costOf(plain, used(usage))).toBe(cost);
  });

  test("takes what is absent to cost what input or output costs", () => {
    const usage = used({ inputTokens: 30, cacheReadTokens: 10, cacheWriteTokens: 10, outputTokens: 20, reasoningTokens: 10 });
    expect(costOf({ input: 1, output: 2 }, usage)).toBe(30 * 1000 + 20 * 2000);
  });

  test("adds what the request costs", () => {
    expect(costOf({ input: 0, output: 0, perRequest: 0.012 }, none)).toBe(12_000_000);
  });

  test("rounds up once, and not for what binary fractions add", () => {
    expect(costOf({ input: 0.07, output: 0.1 }, used({ inputTokens: 1_000_000, outputTokens: 3_000_000 }))).toBe(370_000_000);
    expect(costOf({ input: 0.0001, output: 0.0001 }, used({ inputTokens: 1, outputTokens: 1 }))).toBe(1);
  });

  test("takes the highest tier that the input is above, for all tokens", () => {
    const tiered: ModelPrice = {
      input: 1,
      output: 1,
      tiers: [
        { above: 200, input: 3, output: 3 },
        { above: 100, input: 2, output: 2 },
      ],
    };
    const cost = (inputTokens: number) => costOf(tiered, used({ inputTokens, outputTokens: 10 }));
    expect([100, 101, 200, 201].map(cost)).toEqual([110_000, 222_000, 420_000, 633_000]);
    expect(costOf(tiered, used({ inputTokens: 1, cacheReadTokens: 101 }))).toBe(202_000);
  });

  test("counts what nobody can have used as very much, not as no number", () => {
    expect(costOf(plain, used({ inputTokens: Number.POSITIVE_INFINITY }))).toBeGreaterThan(1e18);
  });
});

describe("worstCase", () => {
  test("is input at the dearest of its rates, and output at the dearer of its", () => {
    expect(worstCase({ ...plain, perRequest: 1 }, 1000).base).toBe(1_000_000_000 + 1000 * 2500);
    expect(worstCase(plain, 1000).perOutputToken).toBeCloseTo(12_000, 6);
  });

  test("minds a lower tier that is dearer: the count is an upper one", () => {
    const odd: ModelPrice = { input: 5, output: 50, tiers: [{ above: 100, input: 1, output: 1 }] };
    expect(worstCase(odd, 200).base).toBe(500_000);
    expect(worstCase(odd, 200).perOutputToken).toBeCloseTo(50_000, 6);
    expect(worstCase({ ...odd, input: 0.1, output: 0.1 }, 200).base).toBe(200_000);
  });

  test("of nothing that costs anything is nothing", () => {
    expect(worstCase({ input: 0, output: 0 }, 1e9)).toEqual({ base: 0, perOutputToken: 0 });
  });
});

test("dearestRates has no rate that is lower than one it is made from", () => {
  expect(
    dearestRates([
      { input: 1, output: 4, cacheRead: 0.1 },
      { input: 2, output: 3 },
    ]),
  ).toEqual({
    input: 2,
    cacheRead: 2,
    cacheWrite: 2,
    output: 4,
    reasoning: 4,
  });
});

const rate = fc.oneof(
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.integer({ min: 0, max: 100_000 }).map((cents) => cents / 1000),
  fc.constant(0),
);
const rates = fc.record(
  { input: rate, output: rate, cacheRead: rate, cacheWrite: rate, reasoning: rate },
  { requiredKeys: ["input", "output"] },
);
const tier = fc.tuple(rates, fc.nat(3000)).map(([held, above]) => ({ ...held, above }));
const prices: fc.Arbitrary<ModelPrice> = fc
  .tuple(
    rates,
    fc.record({ perRequest: rate, tiers: fc.uniqueArray(tier, { maxLength: 3, selector: ({ above }) => above }) }, { requiredKeys: [] }),
  )
  .map(([held, rest]) => ({ ...held, ...rest }));
const count = fc.oneof(fc.nat(5000), fc.nat(2_000_000));

/** Some of it, so that parts never come to more than the whole. */
const part = fc.double({ min: 0, max: 1, noNaN: true });

describe("for any price", () => {
  test("no split of what was counted costs more than the worst case", () => {
    const splits = fc.tuple(prices, count, count, fc.tuple(part, part, part, part, part));
    fc.assert(
      fc.property(splits, ([price, input, output, [ofInput, ofRead, ofWrite, ofOutput, ofReasoning]]) => {
        const inputTokens = Math.floor(input * ofInput);
        const cacheReadTokens = Math.floor(inputTokens * ofRead);
        const cacheWriteTokens = Math.floor((inputTokens - cacheReadTokens) * ofWrite);
        const outputTokens = Math.floor(output * ofOutput);
        const reasoningTokens = Math.floor(outputTokens * ofReasoning);
        const cost = costOf(price, { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens, reasoningTokens });
        expect(cost).toBeLessThanOrEqual(atMost(price, input, output));
      }),
      { numRuns: 2000 },
    );
  });

  test("a cost is a whole number, never negative, whatever is reported", () => {
    const anything = fc.oneof(fc.double(), fc.integer());
    const reports = fc.record({
      inputTokens: anything,
      cacheReadTokens: anything,
      cacheWriteTokens: anything,
      outputTokens: anything,
      reasoningTokens: anything,
    });
    fc.assert(
      fc.property(prices, reports, (price, usage) => {
        const cost = costOf(price, usage);
        expect(Number.isInteger(cost) && cost >= 0).toBe(true);
        const { base, perOutputToken } = worstCase(price, usage.inputTokens);
        expect(Number.isInteger(base) && base >= 0 && Number.isFinite(perOutputToken) && perOutputToken >= 0).toBe(true);
      }),
    );
  });

  test("more output never costs less, nor more input under the same rates, nor a worst case of more", () => {
    fc.assert(
      fc.property(prices, count, count, fc.nat(5000), (price, inputTokens, outputTokens, more) => {
        const usage = used({ inputTokens, outputTokens });
        expect(costOf(price, { ...usage, outputTokens: outputTokens + more })).toBeGreaterThanOrEqual(costOf(price, usage));
        const flat = { ...price, tiers: [] };
        expect(costOf(flat, { ...usage, inputTokens: inputTokens + more })).toBeGreaterThanOrEqual(costOf(flat, usage));
        expect(atMost(price, inputTokens + more, outputTokens + more)).toBeGreaterThanOrEqual(atMost(price, inputTokens, outputTokens));
      }),
    );
  });

  test("nothing costs nothing", () => {
    fc.assert(
      fc.property(prices, (price) => {
        const ofTokens = { ...price, perRequest: 0 };
        expect(costOf(ofTokens, none)).toBe(0);
        expect(worstCase(ofTokens, 0).base).toBe(0);
      }),
    );
  });
});
