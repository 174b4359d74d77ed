// The bridge over real HTTP: headers, bodies with and without a parser before it, backpressure, and who leaves.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { nodeListener } from "airworthy/http";
import { scriptedModel } from "airworthy/testing";
import express from "express";
import { afterEach, expect, test } from "vitest";
import { json, serve, toldBy } from "./asking.ts";

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

const opened: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((close) => close()));
});

async function listen(listener: Listener) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push(() => {
    server.closeAllConnections();
    return once(server.close(), "close");
  });
  const address = server.address();
  assert(typeof address === "object" && address !== null);
  return { url: `http://127.0.0.1:${address.port}`, port: address.port };
}

test("a request arrives as it was sent, and its answer as it was given", async () => {
  const seen: unknown[] = [];
  const { url } = await listen(
    nodeListener(async (got) => {
      seen.push(got.method, new URL(got.url).pathname + new URL(got.url).search, got.headers.get("x-two"), await got.text());
      const headers = new Headers([
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
      ]);
      return new Response("made", { status: 201, headers });
    }),
  );
  const response = await fetch(`${url}/a/b?c=d`, {
    method: "PUT",
    body: "said",
    headers: [
      ["x-two", "1"],
      ["x-two", "2"],
    ],
  });
  expect(seen).toEqual(["PUT", "/a/b?c=d", "1, 2", "said"]);
  expect([response.status, response.headers.getSetCookie(), await response.text()]).toEqual([201, ["a=1", "b=2"], "made"]);
  expect((await fetch(url, { method: "HEAD" })).status).toBe(201);
});

test("below a path of Express the request has its whole address, and a body that nobody has read is read", async () => {
  const listener = nodeListener(async (got) => new Response(`${new URL(got.url).pathname} ${await got.text()}`));
  const { url } = await listen((incoming, outgoing) => {
    listener(Object.assign(incoming, { originalUrl: incoming.url, url: "/", body: {} }), outgoing);
  });
  expect(await (await fetch(`${url}/a/b`, { method: "POST", body: "said" })).text()).toBe("/a/b said");
});

test("a request that names no host, or a target that is no URL, is served all the same", async () => {
  const { port } = await listen(nodeListener(({ url }) => new Response(url)));
  const raw = async (head: string) => {
    const socket = connect(port, "127.0.0.1");
    socket.end(`${head}\r\n\r\n`);
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    return text;
  };
  expect(await raw("GET /x HTTP/1.0")).toContain("http://localhost/x");
  expect(await raw("GET http://[ HTTP/1.1\r\nhost: a:b:c\r\nconnection: close")).toContain("http://localhost/");
});

test("what the function throws is a bare 500, and cuts what had begun", async () => {
  const thrown = await listen(nodeListener(() => Promise.reject(new Error("CANARY"))));
  const response = await fetch(thrown.url);
  expect([response.status, await response.text()]).toEqual([500, ""]);
  let pulled = 0;
  const breaking = () =>
    new ReadableStream({ pull: (c) => (++pulled > 1 ? Promise.reject(new Error("CANARY")) : c.enqueue(Buffer.from("x"))) });
  const cut = await fetch((await listen(nodeListener(() => new Response(breaking())))).url);
  await expect(cut.text()).rejects.toThrow("terminated");
});

test("a body that is too long is answered, not cut off", async () => {
  const handler = serve({ model: scriptedModel([]) }, { maxBodyBytes: 1_000 });
  const { port } = await listen(nodeListener(handler));
  const outgoing = request({ port, method: "POST", headers: { ...json, "transfer-encoding": "chunked" } });
  const answered = once(outgoing, "response");
  outgoing.write("x".repeat(50_000));
  const [incoming]: IncomingMessage[] = await answered;
  expect(incoming?.statusCode).toBe(413);
  outgoing.destroy();
});

test("the signal is aborted, and the stream let go, when the client leaves; not when it has all", async () => {
  const signals: AbortSignal[] = [];
  const letGo = Promise.withResolvers<void>();
  const endless = () =>
    new ReadableStream({ pull: (c) => c.enqueue(Buffer.from("x")), cancel: () => letGo.resolve() }, { highWaterMark: 0 });
  const { url } = await listen(
    nodeListener(({ signal, url: target }) => {
      signals.push(signal);
      return new Response(target.endsWith("/all") ? "all" : endless());
    }),
  );
  await (await fetch(`${url}/all`)).text();
  const client = new AbortController();
  const response = await fetch(`${url}/endless`, { signal: client.signal });
  await response.body?.getReader().read();
  client.abort();
  await letGo.promise;
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
});

test("no more is made than the client takes", async () => {
  const chunk = new Uint8Array(256 * 1024);
  let made = 0;
  const body = new ReadableStream({ pull: (c) => c.enqueue(chunk.subarray(made++ && 0)) }, { highWaterMark: 0 });
  const answering = Promise.withResolvers<ServerResponse>();
  const { port } = await listen((incoming, outgoing) => {
    nodeListener(() => new Response(body))(incoming, outgoing);
    answering.resolve(outgoing);
  });
  const socket = connect(port, "127.0.0.1").pause();
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const outgoing = await answering.promise;
  while (!outgoing.writableNeedDrain) await setImmediate();
  const before = made;
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  expect(made - before).toBeLessThan(5);
  socket.destroy();
});

test("connections are closed after their answers while the function is closing, and kept alive before", async () => {
  let closing = false;
  const handle = Object.assign(() => new Response("x"), { isClosing: () => closing });
  const { url, port } = await listen(nodeListener(handle));
  const socket = connect(port, "127.0.0.1").setEncoding("latin1");
  const ask = () => socket.write(`GET / HTTP/1.1\r\nhost: ${new URL(url).host}\r\n\r\n`);
  let text = "";
  socket.on("data", (piece) => (text += String(piece)));
  const ended = once(socket, "end");
  ask();
  while (!text.includes("0\r\n\r\n")) await once(socket, "data");
  closing = true;
  ask();
  await ended;
  expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
});

// Its router is for examples/service-express.ts: what matters here is a body that somebody has read already.
test.each([
  ["JSON", express.json()],
  ["text", express.text({ type: "*/*" })],
  ["bytes", express.raw({ type: "*/*" })],
])("a body that a parser of Express has made %s of is understood", async (_, parse) => {
  const handler = serve({ model: scriptedModel(["Good morning."]) });
  const { url } = await listen((incoming, outgoing) => parse(incoming, outgoing, () => nodeListener(handler)(incoming, outgoing)));
  const response = await fetch(url, { method: "POST", headers: json, body: JSON.stringify({ input: "Hello. ä" }) });
  expect([response.status, (await toldBy(response)).output]).toEqual([200, "Good morning."]);
});
