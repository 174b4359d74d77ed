// Before all tests: a door to knock on for a Postgres. It is started when the first test asks, one for all test files, and stopped at the end.
import { createServer } from "node:http";
import type { TestProject } from "vitest/node";
import { type Cluster, startCluster } from "./cluster.ts";

export default async function setup(project: TestProject) {
  let cluster: Promise<Cluster> | undefined;
  const door = createServer((_, response) => {
    cluster ??= startCluster();
    cluster.then(
      ({ url }) => response.end(url),
      (thrown: unknown) => response.writeHead(500).end(String(thrown)),
    );
  });
  await new Promise<void>((listening) => door.listen(0, "127.0.0.1", listening));
  const address = door.address();
  project.provide("postgresDoor", `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`);
  return async () => {
    door.closeAllConnections();
    door.close();
    await cluster?.then(({ stop }) => stop());
  };
}

declare module "vitest" {
  export interface ProvidedContext {
    postgresDoor: string;
  }
}
