// The outside world, a process of its own: it does whatever it is asked to, as often as it is asked, and counts. Invariant: an act that has
// arrived happens, whoever has died since.
import { createServer, type IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";
import { seeded } from "./seeded.ts";

export interface AskedAct {
  readonly act: "read" | "pay" | "mail";
  readonly run: string;
  readonly key: string;
  /** Who asks: one life of one worker. */
  readonly worker: string;
}

/** What is known of an act by its key; `going`: it has arrived and will happen. */
type Known = "none" | "going" | "done";

/** Told to whoever started this process. `acts`: on being asked for them all. */
export interface WorldWord {
  readonly url?: string;
  readonly arrived?: AskedAct;
  readonly happened?: AskedAct;
  readonly acts?: readonly AskedAct[];
}

const [seed = "1", slowMs = "0"] = process.argv.slice(2);
const chance = seeded(Number(seed));
const slowShare = 0.02;
const acts: AskedAct[] = [];
const known = new Map<string, Known>();
const tell = (word: WorldWord) => process.send?.(word);

async function happen(asked: AskedAct) {
  acts.push(asked);
  if (known.get(asked.key) !== "done") known.set(asked.key, "going");
  tell({ arrived: asked });
  await setTimeout(chance() < slowShare ? Number(slowMs) : chance() * 8);
  known.set(asked.key, "done");
  tell({ happened: asked });
}

async function bodyOf(request: IncomingMessage) {
  request.setEncoding("utf8");
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

const server = createServer((request, response) => {
  const answer = async () => {
    const text = await bodyOf(request);
    if (request.url === "/known") return known.get(text) ?? "none";
    await happen(JSON.parse(text));
    return "done";
  };
  // Half a request is no act: whoever sent it is dead.
  answer().then(
    (said) => response.end(said),
    () => response.destroy(),
  );
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address && typeof address === "object") tell({ url: `http://127.0.0.1:${address.port}` });
});
process.on("message", () => tell({ acts }));
process.on("disconnect", () => process.exit());
