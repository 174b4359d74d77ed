// An agent served by node:http alone. With --serve it goes on until SIGTERM; without, it is visited once and shuts down.
import { once } from "node:events";
import { createServer } from "node:http";
import { agentHandler, nodeListener } from "airworthy/http";
import { openDesk, principal } from "./services/desk.ts";
import { visit } from "./services/visit.ts";

const desk = await openDesk();
const handler = agentHandler(desk.agent, { principal, onError: (error) => console.error(error) });
const server = createServer(nodeListener(handler)); // Every path is the agent's; look at `url` first if there is more to serve.

async function shutDown() {
  await handler.close({ withinMs: 8_000 }); // What comes is sent elsewhere, what goes on is finished.
  setTimeout(() => server.closeAllConnections(), 1_000).unref(); // Clients keep some open that they never use.
  server.close();
  await desk.close();
}
process.once("SIGTERM", () => void shutDown());

server.listen(Number(process.env["PORT"] ?? 0));
await once(server, "listening");
const address = server.address();
await visit(`http://localhost:${typeof address === "object" ? address?.port : ""}/`);
