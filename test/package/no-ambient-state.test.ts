// Promise 11: importing does nothing, and nothing of ours keeps a process alive.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a module to its natural end, with no network it could use. */
function runModule(source: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--conditions=airworthy-source", "--input-type=module", "--eval", source], { cwd: root });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => resolve({ code, output }));
  });
}

// Node's own fetch and the OpenAI SDK leave a symbol of theirs on the global object.
test.concurrent.each([
  "airworthy",
  "airworthy/openai",
  "airworthy/anthropic",
  "airworthy/guardrails",
  "airworthy/http",
  "airworthy/postgres",
  "airworthy/sqlite",
  "airworthy/testing",
  "airworthy/tokens",
])("importing %s has no effect", async (entry) => {
  const { code, output } = await runModule(`
    const globals = new Set(Reflect.ownKeys(globalThis));
    const listeners = process.eventNames().length;
    globalThis.fetch = () => { throw new Error("network"); };
    await import("${entry}");
    const added = Reflect.ownKeys(globalThis).filter((key) => !globals.has(key)).map(String).filter((name) => !/undici|openai/.test(name));
    console.log(JSON.stringify({ added, events: process.eventNames().length - listeners, timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout") }));
  `);
  expect(output.trim()).toBe('{"added":[],"events":0,"timers":[]}');
  expect(code).toBe(0);
});

test.concurrent("the root entry loads no SDK, no schema library and no database", async () => {
  const { output } = await runModule(`
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({ load(url, context, next) { const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]; if (name) seen.add(name); return next(url, context); } });
    await import("airworthy");
    console.log([...seen].sort().join(" "));
  `);
  expect(output.trim().split(" ")).toEqual([
    "@cfworker/json-schema",
    "@opentelemetry/api",
    "is-network-error",
    "jsonrepair",
    "opossum",
    "p-retry",
    "uuidv7",
  ]);
});

test.concurrent("a process ends by itself after runs that were retried, broken, cancelled or left", { timeout: 20_000 }, async () => {
  const { code, output } = await runModule(`
    import { createAgent, tool } from "airworthy";
    import { hang, hangForever, scriptedModel } from "airworthy/testing";
    const make = (script) => createAgent({ name: "a", model: scriptedModel(script), resilience: { retry: { attempts: 2, baseMs: 1 }, breaker: { failures: 1, withinMs: 60000 } } });
    const failing = make([new TypeError("fetch failed"), new TypeError("fetch failed")]);
    const first = await failing.run("go");
    const second = await failing.run("go");
    const left = make([hang()]).stream("go");
    for await (const event of left) if (event.type === "attempt.started") break;
    const cancel = new AbortController();
    const ignoring = make([hangForever()]).run("go", { signal: cancel.signal });
    setImmediate(() => cancel.abort());
    console.log(first.error.code, second.error.code, (await left.result).status, (await ignoring).status);
  `);
  expect(output.trim()).toBe("circuit_open circuit_open cancelled cancelled");
  expect(code).toBe(0);
});
