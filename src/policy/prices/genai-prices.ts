// The price list of @pydantic/genai-prices, loaded when it is first asked. Invariant: a model is found by an id the list has letter for
// letter. Its own matching goes by how ids begin or what they contain, and gives a new model the price of an older one.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { MatchLogic, ModelInfo, Provider } from "@pydantic/genai-prices";

interface PriceList {
  /** Name and version. */
  readonly source: string;
  readonly provider: (id: string) => Provider | undefined;
}

/** Well-known provider names of the GenAI conventions, and what the list calls them. Nobody else's prices are in it for sure. */
const listed: Readonly<Record<string, { readonly id: string; readonly sells?: RegExp }>> = {
  anthropic: { id: "anthropic" },
  "aws.bedrock": { id: "aws" },
  "azure.ai.inference": { id: "azure" },
  "azure.ai.openai": { id: "azure" },
  cohere: { id: "cohere" },
  deepseek: { id: "deepseek" },
  // One list for both of Google's doors; models of others are behind the second only.
  "gcp.gemini": { id: "google", sells: /^gem/ },
  "gcp.vertex_ai": { id: "google" },
  groq: { id: "groq" },
  mistral_ai: { id: "mistral" },
  moonshot_ai: { id: "moonshotai" },
  openai: { id: "openai" },
  perplexity: { id: "perplexity" },
  x_ai: { id: "x-ai" },
};

export interface ListedModel {
  readonly model: ModelInfo;
  readonly source: string;
}

/** The model with exactly this id, as the list has it; for a provider the list cannot know it is not even loaded. */
export function listedModel(provider: string, id: string): ListedModel | undefined {
  const entry = Object.hasOwn(listed, provider) ? listed[provider] : undefined;
  if (!entry || (entry.sells && !entry.sells.test(id))) return undefined;
  const list = priceList();
  const models = list?.provider(entry.id)?.models ?? [];
  const model = models.find((one) => one.id === id) ?? models.find((one) => idsIn(one.match).includes(id));
  return list && model ? { model, source: list.source } : undefined;
}

/** The ids a clause names in full. */
function idsIn(match: MatchLogic): readonly string[] {
  if ("equals" in match) return [match.equals];
  return "or" in match ? match.or.flatMap(idsIn) : [];
}

/** Loading takes some 50 ms and several megabytes: once per process, and not before it is needed. */
let loaded: { readonly list: PriceList | undefined } | undefined;

function priceList(): PriceList | undefined {
  loaded ??= { list: load() };
  return loaded.list;
}

/** Undefined where the package is not there, as in a bundle made without it: then there are no prices in it either. */
function load(): PriceList | undefined {
  const require = createRequire(import.meta.url);
  try {
    const library: typeof import("@pydantic/genai-prices") = require("@pydantic/genai-prices");
    return {
      source: `@pydantic/genai-prices ${versionBeside(require.resolve("@pydantic/genai-prices"))}`,
      // It also takes what resembles an id; an id it does not have is none.
      provider: (id) => [library.findProvider({ providerId: id })].find((found) => found?.id === id),
    };
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "MODULE_NOT_FOUND") return undefined;
    throw thrown;
  }
}

/** The package does not export its package.json, which stands one folder above what it does. */
function versionBeside(entry: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(dirname(entry), "..", "package.json"), "utf8"));
  const version = typeof manifest === "object" && manifest !== null && "version" in manifest ? manifest.version : undefined;
  return typeof version === "string" ? version : "";
}
