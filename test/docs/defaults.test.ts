// docs/defaults.md against what really holds, both ways: a default without a row and a row without a default are equally wrong.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { agentDefaults, agentToolDefaults, createAgent, memoryStore, tool, toolDefaults } from "airworthy";
import { anthropic } from "airworthy/anthropic";
import { normalized } from "airworthy/guardrails";
import { handlerDefaults } from "airworthy/http";
import { openai } from "airworthy/openai";
import { postgresDefaults } from "airworthy/postgres";
import { sqliteDefaults } from "airworthy/sqlite";
import { autoClock, fakeClock, scriptedModel } from "airworthy/testing";
import { describe, expect, test } from "vitest";
import { proseOf, readPage, root } from "./pages.ts";

const page = readPage("docs/defaults.md");

/** The rows below a heading, up to the next. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  const [, section = ""] = proseOf(page).split(`## ${heading}\n`);
  const lines = (section.split("\n## ")[0] ?? "").split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) => line.slice(2, -2).split(" | "));
}

/** `30,000` as 30000, `"write"` as write, anything else as it stands. */
const valueOf = (cell = "") => (/^[\d,.]+$/.test(cell) ? Number(cell.replaceAll(",", "")) : cell.replace(/^"([^"]*)"$/, "$1"));
const bare = (cell = "") => cell.replaceAll("`", "");
const documented = (heading: string) => Object.fromEntries(rowsBelow(heading).map(([name, value]) => [bare(name), valueOf(value)]));

/** `{ a: { b: 1 } }` as `{ "a.b": 1 }`. */
function flat(value: object, path = ""): Record<string, unknown> {
  const pairs = Object.entries(value).map(([key, item]: [string, unknown]) =>
    typeof item === "object" && item !== null ? Object.entries(flat(item, `${path}${key}.`)) : [[`${path}${key}`, item]],
  );
  return Object.fromEntries(pairs.flat());
}

describe("docs/defaults.md", () => {
  test("says of the agent what agentDefaults says, in the words of its options", () => {
    const { version, limits, timeouts, budget, retry, breaker, leaseMs } = agentDefaults;
    const { identicalCallsWarn: warnAt, identicalCallsStop: stopAt, ...counts } = limits;
    const options = {
      version,
      policy: { limits: { ...counts, identicalCalls: { warnAt, stopAt } }, timeouts, budget },
      resilience: { retry, breaker },
      leaseMs,
    };
    expect(documented("Agent")).toEqual({ ...flat(options), store: "memoryStore()", clock: "the machine's" });
  });

  test("says of tools what toolDefaults says", () => {
    const { repeat, risk, ...rest } = documented("Tool");
    expect(rest).toEqual(flat(toolDefaults));
    const made = (["read", "write", "pay"] as const).map((effect) =>
      tool({ description: "d", effect, inputSchema: { type: "object" }, execute: () => "" }),
    );
    expect(made.map((one) => [one.repeat, one.risk, one.retry.attempts])).toEqual([
      ["freely", "low", 3],
      ["never", "medium", 1],
      ["never", "high", 1],
    ]);
    expect([repeat, risk]).toEqual(['"freely" for a read, else "never"', '"low" for a read, "medium" for a write, else "high"']);
  });

  test("says of agents as tools what agentToolDefaults says", () => {
    expect(documented("Agent as a tool")).toEqual(flat(agentToolDefaults));
  });

  test("says what is fixed as the sources say it", () => {
    const rows = rowsBelow("Fixed").map(([path = "", what = "", value]) => {
      const name = /^`(\w+)`/.exec(what)?.[1];
      const source = readFileSync(resolve(root, bare(path)), "utf8");
      return [name, value, new RegExp(`^const ${name} = ([\\d_.]+);`, "m").exec(source)?.[1]];
    });
    expect(rows).toHaveLength(17);
    for (const [, value, actual] of rows) expect(actual).toBe(value);
  });
});

describe("what has no object to compare with holds as it is written", () => {
  const of = (where: string, option: string) => {
    const row = rowsBelow("Guardrails, stores, providers, tests").find(([place, name]) => bare(place) === where && bare(name) === option);
    return valueOf(row?.[2]);
  };
  const number = (where: string, option: string) => Number(of(where, option));

  test("the page has no other rows", () => {
    expect(rowsBelow("Guardrails, stores, providers, tests")).toHaveLength(24);
    expect(documented("Run")).toEqual({ runId: "a new UUIDv7", onBreak: "cancel", onInterrupted: "fail" });
  });

  test("a guardrail has so much time, and then refuses", async () => {
    const clock = fakeClock();
    const silent = { name: "g", check: () => new Promise<never>(() => {}) };
    let over = false;
    const running = createAgent({ name: "a", clock, model: scriptedModel(["x"]), guardrails: { input: [silent] } })
      .run("go")
      .finally(() => (over = true));
    await clock.advance(number("any guardrail", "timeoutMs") - 1);
    expect(over).toBe(false);
    await clock.advance(1);
    expect((await running).status).toBe("refused");
    expect(of("any guardrail", "onError")).toBe("refuse");
  });

  test("normalized() lets so much through", async () => {
    const most = number("normalized()", "maxBytes");
    const check = (length: number) =>
      createAgent({ name: "a", model: scriptedModel(["x"]), guardrails: { input: [normalized()] } }).run("x".repeat(length));
    expect((await check(most)).status).toBe("completed");
    expect((await check(most + 1)).status).toBe("refused");
  });

  test.each([
    ["keepEnded", "ended"],
    ["keepStopped", "stopped"],
  ] as const)("memoryStore() remembers so many: %s", async (option, phase) => {
    const { journal } = memoryStore();
    const most = number("memoryStore()", option);
    for (let run = 0; run <= most; run++) {
      await journal.create({ runId: `${run}`, agent: "a" }, ["{}"]);
      await journal.append(`${run}`, { epoch: 1, sequence: 1 }, ["{}"], phase);
    }
    expect(await journal.load("0")).toBeUndefined();
    expect(await journal.load("1")).toBeDefined();
  });

  test("openai() asks there, in that way", async () => {
    const tools = { find: tool({ description: "d", effect: "read", inputSchema: { type: "object", properties: {} }, execute: () => "" }) };
    const asked = async (api?: "chat" | "responses") => {
      const requests: { readonly url: string; readonly body: string }[] = [];
      const fetch: typeof globalThis.fetch = (url, init) => {
        requests.push({ url: url instanceof Request ? url.url : url.toString(), body: typeof init?.body === "string" ? init.body : "" });
        return Promise.resolve(new Response("{}", { status: 400 }));
      };
      await createAgent({ name: "a", model: openai("m", { apiKey: "none", fetch, ...(api ? { api } : {}) }), tools }).run("go");
      expect(requests).toHaveLength(1);
      return { url: requests[0]?.url, body: JSON.parse(requests[0]?.body ?? "{}") };
    };
    const [unsaid, chat, responses] = [await asked(), await asked("chat"), await asked("responses")];
    expect(of("openai()", "api")).toBe("chat");
    expect(unsaid).toEqual(chat);
    expect(chat.url).toBe(`${of("openai()", "baseURL")}/chat/completions`);
    expect(responses.url).toBe(`${of("openai()", "baseURL")}/responses`);
    expect(of("openai()", "store")).toBe("false with Responses, not sent with Chat");
    expect([responses.body.store, "store" in chat.body]).toEqual([false, false]);
    expect([`${chat.body.tools[0].function.strict}`, `${responses.body.tools[0].strict}`]).toEqual([
      of("openai()", "strict"),
      of("openai()", "strict"),
    ]);
  });

  test.each(["onDisconnect", "maxBodyBytes", "keepAliveMs"] as const)("agentHandler() takes so much: %s", (option) => {
    expect(of("agentHandler()", option)).toBe(handlerDefaults[option]);
  });

  test("sqlite() and postgres() are opened so", () => {
    const options = (where: string, defaults: object) => Object.keys(defaults).map((option) => [option, of(where, option)]);
    expect(Object.fromEntries(options("sqlite()", sqliteDefaults))).toEqual(sqliteDefaults);
    expect(Object.fromEntries(options("postgres()", postgresDefaults))).toEqual({ ...postgresDefaults, prepare: "true" });
  });

  test("anthropic() asks there, and so", async () => {
    const asked: unknown[] = [];
    const fetch = (url: string | URL | Request, init?: RequestInit) => {
      asked.push(url instanceof Request ? url.url : url.toString(), JSON.parse(typeof init?.body === "string" ? init.body : "{}"));
      return Promise.resolve(new Response("{}", { status: 400 }));
    };
    const inputSchema = { type: "object", properties: { id: { type: "string" } } };
    const tools = { find: tool({ description: "d", inputSchema, execute: () => "" }) };
    await createAgent({ name: "a", model: anthropic("m", { apiKey: "none", fetch }), tools }).run("go");
    expect([of("anthropic()", "promptCache"), of("anthropic()", "strictTools")]).toEqual(["5m", "true"]);
    expect(asked).toMatchObject([
      `${of("anthropic()", "baseURL")}/v1/messages`,
      {
        max_tokens: of("anthropic()", "settings.maxOutputTokens"),
        tools: [{ strict: true, cache_control: { type: "ephemeral" } }],
      },
    ]);
  });

  test("autoClock() fires timers up to there by itself", async () => {
    const most = number("autoClock()", "autoMaxMs");
    const clock = autoClock();
    await new Promise<void>((fired) => void clock.after(most, fired));
    clock.after(most + 1, () => {});
    await clock.advance(0);
    expect(clock.pending).toBe(1);
  });
});
