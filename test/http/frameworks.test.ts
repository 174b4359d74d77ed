// The handler in each framework, in this process: a client that leaves is noticed, and nothing of it is lost on the way.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { serve as serveHono } from "@hono/node-server";
import { type AgentHandler, nodeListener } from "airworthy/http";
import { scriptedModel } from "airworthy/testing";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { afterEach, describe, expect, test } from "vitest";
import { events, json, serve } from "./asking.ts";

interface Service {
  readonly port: number;
  close(): unknown;
}

const opened: Service[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((service) => service.close()));
});

interface Listening {
  address(): AddressInfo | string | null;
  close(): unknown;
}

async function serviceOf(server: Listening & NodeJS.EventEmitter): Promise<Service> {
  await once(server, "listening");
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return { port: address.port, close: () => server.close() };
}

const frameworks: readonly (readonly [string, (handler: AgentHandler) => Promise<Service>])[] = [
  ["node:http", (handler) => serviceOf(createServer(nodeListener(handler)).listen(0, "127.0.0.1"))],
  ["Express", (handler) => serviceOf(express().use(nodeListener(handler)).listen(0, "127.0.0.1"))],
  [
    "Fastify",
    async (handler) => {
      const app = fastify();
      app.removeAllContentTypeParsers();
      app.addContentTypeParser("*", (_request, _payload, read) => read(null));
      app.all("/", (request, reply) => {
        reply.hijack();
        nodeListener(handler)(request.raw, reply.raw);
      });
      const { port } = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
      return { port: Number(port), close: () => app.close() };
    },
  ],
  [
    "Hono",
    (handler) => serviceOf(serveHono({ fetch: new Hono().all("/", ({ req }) => handler(req.raw)).fetch, port: 0, hostname: "127.0.0.1" })),
  ],
];

describe.each(frameworks)("%s", (_, start) => {
  async function open(options: Parameters<typeof serve>[1]) {
    const calling = Promise.withResolvers<AbortSignal>();
    const go = Promise.withResolvers<string>();
    const model = scriptedModel((__, { signal, onText }) => {
      onText?.("Good ");
      calling.resolve(signal);
      return go.promise;
    });
    const handler = serve({ model }, options);
    const service = await start(handler);
    opened.push(service);
    const ask = (headers: Record<string, string>, signal?: AbortSignal) =>
      fetch(`http://127.0.0.1:${service.port}/`, {
        method: "POST",
        headers,
        body: JSON.stringify({ input: "Hello.", runId: "r" }),
        ...(signal ? { signal } : {}),
      });
    return { handler, ask, calling: calling.promise, go: () => go.resolve("morning.") };
  }

  test.each([
    ["a stream", events],
    ["JSON", json],
  ])("a client that leaves cancels, when asked to: %s", async (__, headers) => {
    const { ask, calling } = await open({ onDisconnect: "cancel" });
    const client = new AbortController();
    const answer = ask(headers, client.signal);
    answer.catch(() => {}); // That it has left is no news to the client.
    if (headers === events) await (await answer).body?.getReader().read();
    const signal = await calling;
    client.abort();
    if (!signal.aborted) await once(signal, "abort");
    expect(await (await ask(json)).json()).toMatchObject({ status: "cancelled" });
  });

  test("a stream comes piece by piece, and is waited for by close", async () => {
    const { handler, ask, calling, go } = await open({});
    const reader = (await ask(events)).body?.pipeThrough(new TextDecoderStream()).getReader();
    await calling;
    let text = "";
    while (!text.includes('"text":"Good "')) text += (await reader?.read())?.value;
    const closed = handler.close({ withinMs: 10_000 });
    go();
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) text += piece.value;
    expect(text).toMatch(/event: result\ndata: .*"status":"completed".*\n\n$/);
    await closed;
    expect((await ask(json)).status).toBe(503);
  });
});
