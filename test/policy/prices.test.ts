// What a model costs, through the public door: who is asked in which order, and that no model gets the price of another.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import type { MatchLogic, Provider } from "@pydantic/genai-prices";
import { AgentError, price } from "airworthy";
import { describe, expect, test } from "vitest";
import { root } from "../docs/pages.ts";

const require = createRequire(import.meta.url);
const library: typeof import("@pydantic/genai-prices") = require("@pydantic/genai-prices");
const manifest: { version: string } = require("../../node_modules/@pydantic/genai-prices/package.json");
const source = `@pydantic/genai-prices ${manifest.version}`;

const at = (date: string) => ({ now: Date.parse(date) });

/** Our names of providers and the library's. */
const providers = [
  ["anthropic", "anthropic"],
  ["aws.bedrock", "aws"],
  ["azure.ai.openai", "azure"],
  ["cohere", "cohere"],
  ["deepseek", "deepseek"],
  ["gcp.gemini", "google"],
  ["gcp.vertex_ai", "google"],
  ["groq", "groq"],
  ["mistral_ai", "mistral"],
  ["moonshot_ai", "moonshotai"],
  ["openai", "openai"],
  ["perplexity", "perplexity"],
  ["x_ai", "x-ai"],
] as const;

function listOf(id: string): Provider {
  const found = library.findProvider({ providerId: id });
  if (found?.id !== id) throw new Error(`no list ${id}`);
  return found;
}

const clausesOf = (match: MatchLogic): readonly (readonly [string, string])[] =>
  Object.entries(match).flatMap(([kind, value]: [string, string | MatchLogic[]]) =>
    typeof value === "string" ? [[kind, value] as const] : value.flatMap(clausesOf),
  );

describe("a price is found", () => {
  test("in the library, with who says so", () => {
    expect(price("openai/gpt-5-mini")).toEqual({
      provider: "openai",
      model: "gpt-5-mini",
      input: 0.25,
      cacheRead: 0.025,
      output: 2,
      source,
      contextWindow: 400_000,
    });
    expect(price("gpt-5-mini")).toEqual(price({ provider: "openai", id: "gpt-5-mini" }));
  });

  test("by a name the library knows a model by besides its id", () => {
    expect(price("openai/gpt-5-codex")).toMatchObject({ input: 1.25, output: 10, model: "gpt-5-codex" });
  });

  test("in the own table before the library, with source and date", () => {
    expect(price("anthropic/claude-sonnet-5-5")).toMatchObject({ input: 2, cacheRead: 0.1, date: "2026-10-24", contextWindow: 1_000_000 });
    expect(price("openai/gpt-6.1-sol")?.tiers).toEqual([{ above: 272_000, input: 4, cacheRead: 0.2, cacheWrite: 5, output: 15 }]);
    for (const id of ["openai/gpt-6.1-sol", "claude-haiku-5-5", "claude-sonnet-5-5", "claude-fable-5-2"])
      expect(price(id), id).toMatchObject({ source: expect.stringContaining("after"), date: expect.stringMatching(/^2026-\d\d-\d\d$/) });
  });

  test("with the tiers of the library, all rates of each", () => {
    expect(price("gcp.gemini/gemini-2.5-pro")).toMatchObject({
      input: 1.25,
      tiers: [{ above: 200_000, input: 2.5, cacheRead: 0.25, output: 15 }],
    });
    const { total_price: above } = library.calcPrice({ input_tokens: 200_001 }, "gemini-2.5-pro", { providerId: "google" }) ?? {};
    expect(above).toBeCloseTo((200_001 * 2.5) / 1e6, 9);
  });

  test("with what a request costs besides tokens", () => {
    expect(price("perplexity/sonar")).toMatchObject({ input: 1, output: 1, perRequest: 0.012 });
  });

  test("as it is at the moment asked for", () => {
    expect(price("openai/o3", at("2025-06-09"))).toMatchObject({ input: 10, output: 40 });
    expect(price("openai/o3", at("2025-06-10"))).toMatchObject({ input: 2, output: 8, date: "2025-06-10" });
    expect(price("openai/o3", at("2025-06-09"))).not.toHaveProperty("date");
  });

  test("at its dearest where it depends on the hour", () => {
    const dearest = { input: 0.44, cacheRead: 0.014, output: 1.32, date: "2026-08-17" };
    expect(price("deepseek/deepseek-v4-flash", at("2026-10-01T20:00:00Z"))).toMatchObject(dearest);
    expect(price("deepseek/deepseek-v4-flash", at("2026-10-01T02:00:00Z"))).toMatchObject(dearest);
  });

  test.each([
    ["openai/gpt-5-mini-2025-08-07", "openai/gpt-5-mini"],
    ["openai/gpt-6-sol-2026-09-01", "openai/gpt-6-sol"],
    ["anthropic/claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"],
    ["openai/gpt-6.1-sol-2026-09-29", "openai/gpt-6.1-sol"],
    ["anthropic/claude-haiku-5-5-20261007", "anthropic/claude-haiku-5-5"],
  ])("for the snapshot %s as for %s", (dated, base) => {
    const { model, ...found } = price(dated) ?? {};
    expect(found).toEqual({ ...price(base), model: undefined });
    expect(dated.endsWith(`/${model}`)).toBe(true);
  });

  test("for a snapshot that costs otherwise as it is listed", () => {
    expect(price("openai/gpt-4o-2024-05-13")).toMatchObject({ input: 5, output: 15 });
    expect(price("openai/gpt-4o")).toMatchObject({ input: 2.5, output: 10 });
  });
});

describe("no price is guessed", () => {
  test.each([
    "claude-sonnet-5-5-new",
    "anthropic/claude-sonnet-5-6",
    "anthropic/claude-sonnet-5-5-2026",
    "anthropic/claude-sonnet-5-5-20261399",
    "openai/gpt-5-mini-2025-0807",
    "openai/GPT-5-mini",
    "gcp.gemini/gemini-3-pro",
    "gcp.gemini/claude-opus-5",
    "openrouter/gpt-5-mini",
    "openai-compatible/gpt-5-mini",
    "groq/gpt-5-mini",
    "toString",
    "constructor/toString",
    "__proto__/__proto__",
  ])("for %s", (name) => {
    expect(price(name)).toBeUndefined();
  });

  test.each(providers)("for %s by how an id begins, ends, or what it contains", (name, id) => {
    const { models } = listOf(id);
    const clauses = models.flatMap(({ match }) => clausesOf(match)).filter(([kind]) => kind !== "equals" && kind !== "regex");
    const wrong = clauses.flatMap(([, value]) => [`${value}-zz`, `zz-${value}`]).filter((one) => price({ provider: name, id: one }));
    expect(wrong).toEqual([]);
  });

  test("where the library's cannot be said in full", () => {
    expect(price("perplexity/sonar-deep-research")).toBeUndefined(); // has a rate for citations
    expect(price("gcp.gemini/gemma-3")).toBeUndefined(); // has no rates at all
    expect(price("openai/text-embedding-3-small")).toBeUndefined(); // writes nothing
    expect(price("groq/whisper-large-v3")).toBeUndefined(); // by the hour
  });

  test("for an id alone that two makers have, or a price of one's own for two providers", () => {
    const one = { input: 1, output: 2 };
    expect(price("mine", { prices: { "a/mine": one, "b/mine": one } })).toBeUndefined();
    expect(price("mine", { prices: { "a/mine": one } })).toMatchObject({ provider: "a", input: 1 });
    expect(price("mine", { prices: { mine: one } })).toMatchObject({ provider: "any", input: 1 });
  });
});

test("what is found says of every model of the library what the library charges", () => {
  const now = new Date("2026-11-20T02:00:00Z");
  let compared = 0;
  for (const [name, id] of providers)
    for (const { id: model, prices } of listOf(id).models) {
      const found = price({ provider: name, id: model }, { now: now.getTime() });
      if (found?.source !== source || Array.isArray(prices)) continue;
      for (const input of [0, 1, 199_999, 200_001, 271_999, 272_001, 1_000_000]) {
        const rates = found.tiers?.findLast(({ above }) => input > above) ?? found;
        const charged = library.calcPrice({ input_tokens: input, output_tokens: 1000 }, model, { providerId: id, timestamp: now });
        // Its own matching may have another model for this id.
        if (charged?.model.id !== model) continue;
        expect((rates.input * input) / 1e6, `${name}/${model}`).toBeCloseTo(charged.input_price, 9);
        expect((rates.output * 1000) / 1e6, `${name}/${model}`).toBeCloseTo(charged.output_price, 9);
        compared += 1;
      }
    }
  expect(compared).toBeGreaterThan(1000);
});

describe("prices of one's own", () => {
  const own = { input: 7, output: 9 };

  test("win over all others, the one with the provider first", () => {
    expect(price("openai/gpt-5-mini", { prices: { "gpt-5-mini": own } })).toEqual({
      ...own,
      source: "options",
      provider: "openai",
      model: "gpt-5-mini",
    });
    const prices = { "gpt-5-mini": own, "openai/gpt-5-mini": { input: 1, output: 1 } };
    expect(price("openai/gpt-5-mini", { prices })).toMatchObject({ input: 1 });
    expect(price("azure.ai.openai/gpt-5-mini", { prices })).toMatchObject({ input: 7 });
    expect(price("anthropic/claude-sonnet-5-5", { prices: { "claude-sonnet-5-5": own } })).toMatchObject({ input: 7 });
  });

  test("hold for snapshots, too, unless those have one of their own", () => {
    const prices = { "gpt-5-mini": own, "gpt-5-mini-2026-01-01": { input: 1, output: 1 } };
    expect(price("openai/gpt-5-mini-2025-08-07", { prices })).toMatchObject({ input: 7 });
    expect(price("openai/gpt-5-mini-2026-01-01", { prices })).toMatchObject({ input: 1 });
  });

  test("hold for providers nobody knows", () => {
    expect(price({ provider: "gateway", id: "m" }, { prices: { m: own } })).toMatchObject({ provider: "gateway", input: 7 });
    expect(price({ provider: "other", id: "m" }, { prices: { "gateway/m": own } })).toBeUndefined();
  });

  test.each<[string, unknown, RegExp]>([
    ["a list", [own], /prices has to be an object/],
    ["a map", new Map([["m", own]]), /prices has to be an object/],
    ["no price", { m: 3 }, /prices\["m"\] has to be an object/],
    ["no output", { m: { input: 1 } }, /prices\["m"\] has to say "output"/],
    ["no input", { m: { output: 1 } }, /prices\["m"\] has to say "input"/],
    ["a negative rate", { m: { input: -1, output: 1 } }, /prices\["m"\].*"input".*dollars per million/],
    ["NaN", { m: { ...own, cacheRead: Number.NaN } }, /prices\["m"\].*"cacheRead"/],
    ["infinity", { m: { ...own, reasoning: Number.POSITIVE_INFINITY } }, /prices\["m"\].*"reasoning"/],
    ["a rate in another unit", { m: { ...own, perRequest: 1e7 } }, /prices\["m"\].*"perRequest"/],
    ["text", { m: { ...own, output: "9" } }, /prices\["m"\].*"output"/],
    ["an unknown field", { m: { ...own, inputs: 1 } }, /prices\["m"\] knows no option "inputs"/],
    ["tiers that are no list", { m: { ...own, tiers: {} } }, /prices\["m"\].*"tiers"/],
    ["a tier without above", { m: { ...own, tiers: [own] } }, /prices\["m"\]\.tiers\[0\] has to say "above"/],
    ["a tier with half a price", { m: { ...own, tiers: [{ above: 1, input: 1 }] } }, /tiers\[0\] has to say "output"/],
    ["a tier with an unknown field", { m: { ...own, tiers: [{ ...own, above: 1, tiers: [] }] } }, /tiers\[0\] knows no option "tiers"/],
    ["a tier that begins nowhere", { m: { ...own, tiers: [{ ...own, above: -1 }] } }, /tiers\[0\].*"above"/],
    [
      "two tiers at once",
      {
        m: {
          ...own,
          tiers: [
            { ...own, above: 1 },
            { ...own, above: 1 },
          ],
        },
      },
      /prices\["m"\] has several tiers/,
    ],
    ["an empty key", { "": own }, /the key ""/],
    ["a key without a model", { "openai/": own }, /the key "openai\/"/],
    ["a key with a space", { "gpt 5": own }, /the key "gpt 5"/],
  ])("that cannot be right are refused: %s", (_, prices, message) => {
    const asked = () => Reflect.apply(price, undefined, ["m", { prices }]);
    expect(asked).toThrow(AgentError);
    expect(asked).toThrow(expect.objectContaining({ code: "configuration_invalid", message: expect.stringMatching(message) }));
  });

  test.each([[""], [7], [null], [{ provider: "openai" }], [{ provider: "openai", id: "" }]])(
    "a model that is none is refused: %j",
    (model) => {
      expect(() => Reflect.apply(price, undefined, [model])).toThrow(expect.objectContaining({ code: "configuration_invalid" }));
    },
  );
});

/** What a module prints, in a process of its own; `hooks` are those of node:module. */
function printed(hooks: string, code: string): string {
  const script = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({ ${hooks} });
    const { price } = await import("airworthy");
    ${code}
  `;
  const args = ["--conditions=airworthy-source", "--input-type=module", "--eval", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  return stdout.trim() + stderr;
}

test("the library is loaded when a lookup gets as far as that, and not before", () => {
  const hooks = 'load(url, context, next) { if (url.includes("genai-prices/")) seen.add(url); return next(url, context); }';
  const code = `
    const counts = [seen.size];
    price("openai/gpt-5-mini", { prices: { "gpt-5-mini": { input: 1, output: 1 } } });
    price("anthropic/claude-sonnet-5-5");
    price("gateway/some-model");
    counts.push(seen.size);
    const found = price("openai/gpt-5-mini");
    counts.push(seen.size);
    console.log(JSON.stringify({ counts, input: found.input }));
  `;
  expect(printed(hooks, code)).toBe('{"counts":[0,0,1],"input":0.25}');
});

test("where the library is not there, as in a bundle, its prices are not known and the others are", () => {
  const hooks = `resolve(name, context, next) {
    if (name.includes("genai-prices") && !name.startsWith(".")) throw Object.assign(new Error("gone"), { code: "MODULE_NOT_FOUND" });
    return next(name, context);
  }`;
  const code = 'console.log(price("openai/gpt-5-mini"), price("anthropic/claude-sonnet-5-5").output);';
  expect(printed(hooks, code)).toBe("undefined 10");
});
