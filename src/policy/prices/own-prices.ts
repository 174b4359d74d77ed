// Prices of models that the price list of the library does not know yet or has wrong, by `provider/model id`. Standard rates of the provider
// itself, for text; every entry with who said so and when. An entry goes once the library knows the model by its exact id.
import type { ModelPrice } from "../../core/price.ts";

interface DatedPrice {
  readonly price: ModelPrice;
  readonly source: string;
  /** When the source looked it up with the provider. */
  readonly date: string;
  readonly contextWindow: number;
}

const claudit = "github.com/kurofune/claudit v1.9.2, after Anthropic's pricing page";

export const ownPrices: Readonly<Record<string, DatedPrice>> = {
  // A copy of OpenAI's page has the cache rates: w3cschool.cn/openai_api/openai-api-docs-gpt-6-1-sol.html. It says of all of them that they
  // double above 272K, which is where 5 for cache writes is from. Bears out the rest: docs.apiyi.com/en/news/gpt-6-1-sol-launch.
  "openai/gpt-6.1-sol": {
    price: {
      input: 2,
      cacheRead: 0.1,
      cacheWrite: 2.5,
      output: 10,
      tiers: [{ above: 272_000, input: 4, cacheRead: 0.2, cacheWrite: 5, output: 15 }],
    },
    source: "docs.laozhang.ai/en/announcements/gpt-6-1-sol-2026-10, after OpenAI's model page",
    date: "2026-10-13",
    contextWindow: 1_050_000,
  },
  // Bears it out: github.com/TheKrush/PromptFuel v1.0.23, apidog.com/blog/how-to-use-claude-haiku-5-5-api (2026-10-08).
  "anthropic/claude-haiku-5-5": {
    price: {
      input: 0.1,
      cacheRead: 0.01,
      cacheWrite: 0.125,
      output: 0.5,
      tiers: [{ above: 100_000, input: 0.5, cacheRead: 0.05, cacheWrite: 0.625, output: 2.5 }],
    },
    source: claudit,
    date: "2026-10-24",
    contextWindow: 1_000_000,
  },
  // platform.claude.com/docs/zh-CN/models/sonnet-5-5/overview has all but the cache reads, which were 0.20 until 2026-10-07.
  "anthropic/claude-sonnet-5-5": {
    price: { input: 2, cacheRead: 0.1, cacheWrite: 2.5, output: 10 },
    source: claudit,
    date: "2026-10-24",
    contextWindow: 1_000_000,
  },
  // The cache rates: github.com/archid21/rightsize v0.10.2. Bears out the rest: vercel.com/ai-gateway/models/claude-fable-5.2.
  "anthropic/claude-fable-5-2": {
    price: { input: 8, cacheRead: 0.2, cacheWrite: 10, output: 40 },
    source: "docs.laozhang.ai/en/announcements/claude-fable-5-2-2026-11, after Anthropic's list prices",
    date: "2026-11-10",
    contextWindow: 1_000_000,
  },
};
