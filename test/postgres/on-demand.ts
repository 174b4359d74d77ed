// Before all tests: a door to knock on for a Postgres. It is started when the first test asks, one for all test files, and stopped at the end.
import { once } from "node:events";
import { createServer } from "node:http";
import type { TestProject } from "vitest/node";
import { type StartedServer, startServer } from "./start-server.ts";

export default async function setup(project: TestProject) {
  let server: StartedServer | undefined;
  const door = createServer((_, response) => {
    server ??= startServer();
    server.url.then(
      (url) => response.end(url),
      (thrown: unknown) => response.writeHead(500).end(String(thrown)),
    );
  });
  door.listen(0, "127.0.0.1");
  await once(door, "listening");
  const address = door.address();
  project.provide("postgresDoor", `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`);
  return async () => {
    door.closeAllConnections();
    door.close();
    await server?.stop();
  };
}

declare module "vitest" {
  export interface ProvidedContext {
    postgresDoor: string;
  }
}
