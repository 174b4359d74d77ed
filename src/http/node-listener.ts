// The bridge from Node's requests to Request and Response. Written against the shapes of node:http alone, so nothing of Node is loaded.
import type { IncomingMessage, ServerResponse } from "node:http";

/** Any function of that kind; `agentHandler` makes one. */
export interface RequestHandler {
  (request: Request): Promise<Response> | Response;
  isClosing?(): boolean;
}

/**
 * A listener for `node:http`, and a handler for Express, with or without its body parser. The request's signal is aborted when the
 * client leaves. What the function throws is answered with a bare 500. While it is closing, connections are closed after their answers:
 * a server waits for those that are kept alive.
 */
export function nodeListener(handle: RequestHandler): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const left = new AbortController();
    outgoing.once("close", () => {
      if (!outgoing.writableFinished) left.abort();
    });
    outgoing.once("finish", () => {
      if (handle.isClosing?.()) incoming.socket.end();
    });
    await send(await handle(requestOf(incoming, left.signal)), outgoing);
  };
  return (incoming, outgoing) => {
    serve(incoming, outgoing).catch(() => {
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end();
    });
  };
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", headersDistinct } = incoming;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct)) for (const value of values) headers.append(name, value);
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(incoming);
  return new Request(urlOf(incoming), { method, headers, body, signal, ...(body instanceof ReadableStream ? { duplex: "half" } : {}) });
}

/** As the client wrote it, as far as it can be told; what is no URL names no host. */
function urlOf(incoming: IncomingMessage & { readonly originalUrl?: string }): string {
  const path = incoming.originalUrl ?? incoming.url ?? "/";
  const origin = `http${"encrypted" in incoming.socket ? "s" : ""}://${incoming.headers.host ?? "localhost"}`;
  return URL.parse(path, origin)?.href ?? "http://localhost/";
}

/** The body as it comes, or what a body parser has made of it. */
function bodyOf(incoming: IncomingMessage & { readonly body?: unknown }): string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  const { body } = incoming;
  if (body === undefined || !incoming.readableDidRead) return streamOf(incoming);
  return typeof body === "string" || body instanceof Uint8Array ? new Uint8Array(Buffer.from(body)) : JSON.stringify(body);
}

/** Not `Readable.toWeb`: there, who stops reading a body that is too long destroys the socket, and with it the answer that says so. */
function streamOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks: AsyncIterator<Uint8Array> = incoming.iterator({ destroyOnReturn: false });
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Writes no faster than the client reads. */
async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.appendHeader(name, value);
  if (!response.body) return void outgoing.end();
  outgoing.flushHeaders();
  const reader = response.body.getReader();
  const leave = () => void reader.cancel().catch(() => {});
  if (outgoing.closed) return leave();
  outgoing.once("close", leave);
  for (;;) {
    const { done, value } = await reader.read();
    if (done || outgoing.closed) break;
    if (!outgoing.write(value)) await writable(outgoing);
  }
  outgoing.end();
}

/** Resolves when there is room again, or nobody left to write to. */
function writable(outgoing: ServerResponse): Promise<void> {
  if (outgoing.closed) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off("drain", go).off("close", go);
      resolve();
    };
    outgoing.once("drain", go).once("close", go);
  });
}
