// The example services as processes of their own, asked over real HTTP by clients who are strangers, who leave and come back, and at the end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { root, runExample } from "./examples.ts";

const answer = "Your order is on its way to you. It arrives on Monday.";
const flags = ["--conditions=airworthy-source"];

async function start(example: string) {
  const child = spawn(process.execPath, [...flags, example, "--serve"], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const complaints = text(child.stderr);
  const ended = once(child, "close");
  const [line]: unknown[] = await once(createInterface(child.stdout), "line");
  const url = /^Listening on (http:.*)$/.exec(String(line))?.[1];
  assert(url);
  const ask = (body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
    fetch(url, {
      method: "POST",
      headers: { authorization: "Bearer token-of-ann", "content-type": "application/json", ...headers },
      body: JSON.stringify({ input: "Where is order 4711?", ...body }),
      ...(signal ? { signal } : {}),
    });
  const stop = async () => {
    child.kill("SIGTERM");
    const [code]: unknown[] = await ended;
    return { code, complaints: await complaints };
  };
  const dispose = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  return { url, ask, stop, [Symbol.asyncDispose]: dispose };
}

const stream = { accept: "text/event-stream" };

/** Reads until `word` has come, or to the end. */
async function read(response: Response, word?: string): Promise<string> {
  let seen = "";
  for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    seen += piece;
    if (word !== undefined && seen.includes(word)) break;
  }
  return seen;
}

const textIn = (frames: string) =>
  [...frames.matchAll(/"type":"text.delta","turn":\d+,"text":"([^"]*)"/g)].map(({ 1: piece }) => piece).join("");

/** Then no service can be told to stop. */
const noSignals = process.platform === "win32";

describe.concurrent.each(["node", "express", "fastify", "hono"])("service-%s.ts", { timeout: 30_000 }, (name) => {
  const example = `examples/service-${name}.ts`;

  test.skipIf(noSignals)("visits itself and shuts down in the middle of an answer", async () => {
    const { exitCode, stdout, stderr } = await runExample([...flags, example]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(/^Listening on http.*\nYour order is on its way to you\. It arrives on Monday\.\n$/);
  });

  test.skipIf(noSignals)("answers, turns away, and shows a run to who comes back", async () => {
    await using service = await start(example);
    const { url, ask, stop } = service;
    expect((await ask({}, { authorization: "Bearer guessed" })).status).toBe(401);
    expect((await fetch(url)).status).toBe(405);
    expect((await ask({}, { "content-type": "text/plain" })).status).toBe(415);
    // On a connection of its own: some servers close one whose request they have not read to the end.
    expect((await ask({ input: "x".repeat(1_048_576) }, { connection: "close" })).status).toBe(413);
    expect((await ask({ input: "" })).status).toBe(400);
    expect(await (await ask({})).json()).toMatchObject({ status: "completed", output: answer });

    const client = new AbortController();
    const left = read(await ask({ runId: "r" }, stream, client.signal), "text.delta").finally(() => client.abort());
    expect(textIn(await left)).not.toBe(answer);
    const again = await read(await ask({ runId: "r" }, stream));
    expect(again).toMatch(/^id: 1\nevent: run\.started\n/);
    expect(textIn(again)).toBe(answer);
    expect(again).toMatch(/\nevent: result\ndata: {"runId":"r","status":"completed".*}\n\n$/);
    expect((await ask({ runId: "r" }, { authorization: "Bearer token-of-bob" })).status).toBe(409);
    expect(await stop()).toEqual({ code: 0, complaints: "" });
  });

  test.skipIf(noSignals)("finishes what goes on when it is told to stop, and exits with 0", async () => {
    await using service = await start(example);
    const { ask, stop } = service;
    const whole = ask({});
    const streamed = await ask({ runId: "r" }, stream);
    const seen = read(streamed);
    const abandoned = new AbortController();
    await read(await ask({ runId: "left" }, stream, abandoned.signal), "run.started");
    abandoned.abort();
    expect(await stop()).toEqual({ code: 0, complaints: "" });
    expect(textIn(await seen)).toBe(answer);
    expect(await (await whole).json()).toMatchObject({ status: "completed" });
  });
});

test("each service is short", () => {
  for (const name of ["node", "express", "fastify", "hono"]) {
    const lines = readFileSync(new URL(`examples/service-${name}.ts`, root), "utf8")
      .trimEnd()
      .split("\n");
    expect(lines.length).toBeLessThanOrEqual(40);
  }
});
