// An agent served by Hono 4. With --serve it goes on until SIGTERM; without, it is visited once and shuts down.
import { once } from "node:events";
import { serve } from "@hono/node-server";
import { agentHandler } from "airworthy/http";
import { Hono } from "hono";
import { openDesk, principal } from "./services/desk.ts";
import { visit } from "./services/visit.ts";

const desk = await openDesk();
const handler = agentHandler(desk.agent, { principal, onError: (error) => console.error(error) });

const app = new Hono();
app.all("/agent", ({ req }) => handler(req.raw));

const server = serve({ fetch: app.fetch, port: Number(process.env["PORT"] ?? 0) });
async function shutDown() {
  await handler.close({ withinMs: 8_000 }); // What comes is sent elsewhere, what goes on is finished.
  // Clients keep some connections open that they never use.
  if ("closeAllConnections" in server) setTimeout(() => server.closeAllConnections(), 1_000).unref();
  server.close();
  await desk.close();
}
process.once("SIGTERM", () => void shutDown());

await once(server, "listening");
const address = server.address();
await visit(`http://localhost:${typeof address === "object" ? address?.port : ""}/agent`);
