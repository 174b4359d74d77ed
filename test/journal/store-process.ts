// A process of its own, for the tests of stores that several share: opens a store, says so, and does what it is told by its input.
import { createInterface } from "node:readline";
import type { Store, WholeStore } from "airworthy";
import { postgres } from "airworthy/postgres";
import { sqlite } from "airworthy/sqlite";

const [what = "", kind = "", where = "", schema = ""] = process.argv.slice(2);

const say = (word: string) => void process.stdout.write(`${word}\n`);

function open(): WholeStore {
  if (kind === "postgres") return postgres(where, { schema });
  return sqlite(where, { role: kind === "reader" ? "reader" : "worker" });
}

/** Adds line after line to run `r` for ever, and says each number when it is acknowledged. Four lines at a time go in together. */
async function append({ journal }: Store) {
  await journal.create({ runId: "r", agent: "a" }, ['{"n":0}'], { owner: "w", forMs: 60_000 });
  say("0");
  for (let n = 1; ; n += 4) {
    const lines = [n, n + 1, n + 2, n + 3].map((at) => JSON.stringify({ n: at, text: "x".repeat(1_500) }));
    await journal.append("r", { epoch: 1, sequence: n }, lines, "running");
    say(`${n + 3}`);
  }
}

/** Opens a store that nobody has used before, at the same time as others, and uses it. */
async function start() {
  say("ready");
  for await (const _ of createInterface({ input: process.stdin })) break;
  const store = open();
  say(`${await store.records.put("k", `${process.pid}`, 1, 0)} ${await store.inbox.post("r", `${process.pid}`, 1)}`);
  await store.close();
}

/** Asks for a part of one budget sixty times, eight at a time, once it is told to; says how often it got it. */
async function spend() {
  const { counters, close } = open();
  say("ready");
  for await (const _ of createInterface({ input: process.stdin })) break;
  let granted = 0;
  const one = async (n: number) => {
    const id = `${process.pid} ${n}`;
    const answer = await counters.reserve(id, [{ key: "budget", amount: 2, limit: 200 }], 60_000);
    if (!answer.granted) return;
    granted += 1;
    await counters.settle(id, { budget: 2 });
    await counters.settle(id, { budget: 9 });
  };
  const turn = async (from: number) => {
    for (let n = from; n < 60; n += 8) await one(n);
  };
  await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(turn));
  say(`${granted}`);
  await close();
}

/** Keeps the store open until it is killed. */
async function hold() {
  const store = open();
  say(`${(await store.journal.find({})).length}`);
  for await (const _ of createInterface({ input: process.stdin })) break;
}

if (what === "append") await append(open());
else if (what === "start") await start();
else if (what === "spend") await spend();
else await hold();
