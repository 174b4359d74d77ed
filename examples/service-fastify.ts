// An agent served by Fastify 5. With --serve it goes on until SIGTERM; without, it is visited once and shuts down.
import { agentHandler, nodeListener } from "airworthy/http";
import fastify from "fastify";
import { openDesk, principal } from "./services/desk.ts";
import { visit } from "./services/visit.ts";

const desk = await openDesk();
const handler = agentHandler(desk.agent, { principal, onError: (error) => console.error(error) });
const listener = nodeListener(handler);

const app = fastify();
app.register((routes, _options, done) => {
  // The handler reads the body itself. The routes outside of this plugin keep their parsers.
  routes.removeAllContentTypeParsers();
  routes.addContentTypeParser("*", (_request, _payload, read) => read(null));
  routes.all("/agent", (request, reply) => {
    reply.hijack(); // From here on the answer is ours.
    listener(request.raw, reply.raw);
  });
  done();
});

async function shutDown() {
  await handler.close({ withinMs: 8_000 }); // What comes is sent elsewhere, what goes on is finished.
  setTimeout(() => app.server.closeAllConnections(), 1_000).unref(); // Clients keep some open that they never use.
  await app.close();
  await desk.close();
}
process.once("SIGTERM", () => void shutDown());

await visit(`${await app.listen({ port: Number(process.env["PORT"] ?? 0) })}/agent`);
