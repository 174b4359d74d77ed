// An agent served by Express 5. With --serve it goes on until SIGTERM; without, it is visited once and shuts down.
import { once } from "node:events";
import { agentHandler, nodeListener } from "airworthy/http";
import express from "express";
import { openDesk, principal } from "./services/desk.ts";
import { visit } from "./services/visit.ts";

const desk = await openDesk();
const handler = agentHandler(desk.agent, { principal, onError: (error) => console.error(error) });

const app = express();
app.use(express.json()); // May stand before the agent or not; with it, its own limit for bodies holds as well.
app.all("/agent", nodeListener(handler));

const server = app.listen(Number(process.env["PORT"] ?? 0));
async function shutDown() {
  await handler.close({ withinMs: 8_000 }); // What comes is sent elsewhere, what goes on is finished.
  setTimeout(() => server.closeAllConnections(), 1_000).unref(); // Clients keep some open that they never use.
  server.close();
  await desk.close();
}
process.once("SIGTERM", () => void shutDown());

await once(server, "listening");
const address = server.address();
await visit(`http://localhost:${typeof address === "object" ? address?.port : ""}/agent`);
