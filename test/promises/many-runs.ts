// Ten thousand runs of every kind in a process of their own, given the address of a simulated provider: what is left afterwards is told to
// whoever started it. Invariant: nothing is kept here either, so what stays in memory is the runtime's.
import { getEventListeners, once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { queryObjects } from "node:v8";
import { type AgentOptions, createAgent, type Model, memoryStore, type RunOptions, type RunStream, tool } from "airworthy";
import { openai } from "airworthy/openai";
import { autoClock, hang, hangForever, type Script, scriptedModel } from "airworthy/testing";
import { z } from "zod";

const [baseURL = "", runs = "10000"] = process.argv.slice(2);

/** As a service has it: one signal for its whole life, handed to every run. */
const caller = new AbortController();
const { signal } = caller;
const store = memoryStore({ keepEnded: 50, keepStopped: 50 });
const clock = autoClock();

const inputSchema = z.object({ n: z.number() });
const add = tool({ description: "d", effect: "read", inputSchema, execute: ({ n }) => n + 1 });
const deaf = tool({ description: "d", inputSchema, timeoutMs: 50, execute: () => new Promise<never>(() => {}) });
const broken = tool({ description: "d", effect: "read", inputSchema, execute: () => JSON.parse("{"), fallback: () => 0 });

const scripted = (script: Script): Model => scriptedModel(script, { record: false });
const agentOf = (options: Omit<AgentOptions, "name">) =>
  createAgent({ name: "a", store, resilience: { breaker: { failures: 1_000_000 } }, ...options });

/** Asks for the tool as long as there is no result of it. */
const calling = (name: string) =>
  scripted(({ messages }) => (messages.at(-1)?.role === "tool" ? "done" : { calls: [{ name, arguments: { n: 1 }, callId: "c" }] }));
const talking = scripted(() => ({ deltas: ["one ", "two ", "three"] }));
const failing = scripted((_request, { attempt }) => (attempt < 3 ? new TypeError("fetch failed") : "done"));

const plain = agentOf({ model: scripted(() => "done") });
const withTool = agentOf({ model: calling("add"), tools: { add } });
const withFallback = agentOf({ model: calling("broken"), tools: { broken }, clock });
const withDeafTool = agentOf({ model: calling("deaf"), tools: { deaf }, clock });
const streaming = agentOf({ model: talking });
const waiting = agentOf({ model: scripted(hang), clock });
const ignoring = agentOf({ model: scripted(hangForever), clock, policy: { timeouts: { stepMs: 1_000 } } });
const retrying = agentOf({ model: failing, clock });
const refusing = agentOf({
  model: scripted(() => "done"),
  guardrails: { output: [{ name: "g", check: () => ({ verdict: "block", message: "no" }) }] },
});
const budgeted = agentOf({
  model: calling("paid"),
  tools: { paid: tool({ description: "d", effect: "send", inputSchema, cost: 0.001, execute: () => "paid" }) },
  prices: { scripted: { input: 1, output: 1 } },
  policy: {
    budget: {
      run: { usd: 1, tokens: 100_000 },
      user: { usd: 1_000, per: "hour" },
      agent: { calls: 1_000_000, per: { rollingMs: 60_000 } },
    },
    limits: { effects: { paid: { run: 1, user: 1_000_000, per: "day" } } },
  },
});
const poor = agentOf({ model: calling("paid"), tools: { paid: add }, policy: { budget: { run: { calls: 1 } } } });
const online = agentOf({ model: openai("m", { apiKey: "test", baseURL }), tools: { add } });

async function leaveEarly(stream: RunStream, read: AsyncIterable<unknown> = stream): Promise<unknown> {
  for await (const _ of read) break;
  return stream.result;
}

function leaveText(stream: RunStream): Promise<unknown> {
  return leaveEarly(stream, stream.textStream);
}

async function leaveAfterText(options: RunOptions): Promise<unknown> {
  const stream = online.stream("go", options);
  for await (const event of stream) if (event.type === "text.delta") break;
  return stream.result;
}

async function abortMeanwhile(run: (options: RunOptions) => Promise<unknown>): Promise<unknown> {
  const own = new AbortController();
  const result = run({ signal: own.signal });
  await setImmediate();
  own.abort();
  return result;
}

/** Every way a run can go; `again` is another time in the life of the process. */
const kinds: readonly ((again: number) => Promise<unknown>)[] = [
  () => plain.run("go", { signal }),
  () => withTool.run("go", { signal, user: { id: "u" } }),
  () => withFallback.run("go", { signal }),
  () => withDeafTool.run("go", { signal }),
  () => retrying.run("go", { signal }),
  () => refusing.run("go", { signal }),
  () => ignoring.run("go", { signal }),
  () => ignoring.run("go", { signal, timeouts: { totalMs: 500 } }),
  () => streaming.stream("go", { signal }).result,
  (again) => Promise.all([1, 2].map(() => streaming.stream("go", { runId: `named-${again}`, signal }).result)),
  () => leaveEarly(streaming.stream("go", { signal })),
  () => leaveText(streaming.stream("go", { signal })),
  () => leaveEarly(waiting.stream("go", { signal })),
  () => budgeted.run("go", { signal, user: { id: "u" } }),
  () => poor.run("go", { signal }),
  () => poor.run("go", { signal, budget: { calls: 0 } }),
  () => plain.run("go", { signal: AbortSignal.abort() }),
  () => abortMeanwhile((options) => waiting.run("go", options)),
  () => abortMeanwhile((options) => ignoring.run("go", options)),
  () => online.run("go", { signal }),
  () => leaveAfterText({ signal }),
  () => abortMeanwhile((options) => online.stream("go", options).result),
];

const statuses = new Set<string>();
let done = 0;

/** What is still reachable: how many objects, which no compiler or cache blurs, and how many bytes in all. */
async function memory() {
  // Several times: finalisers run in between and let go of more.
  for (let times = 0; times < 4; times++) {
    await setImmediate();
    globalThis.gc?.();
  }
  return { runs: done, objects: queryObjects(Object), bytes: process.memoryUsage().heapUsed };
}

async function until(count: number) {
  for (; done < count; done += kinds.length) {
    const again = done;
    for (const result of (await Promise.all(kinds.map((kind) => kind(again)))).flat()) statuses.add(`${Object(result).status}`);
  }
  return memory();
}

const total = Number(runs);
const before = await until(total * 0.2);
const after = await until(total);
const left = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout" || name.startsWith("TCP"));
process.send?.({
  before,
  after,
  statuses: [...statuses].toSorted(),
  listeners: getEventListeners(signal, "abort").length,
  timers: clock.pending,
});
// The provider is closed now; what its end of the sockets is worth comes in over the next turns.
await once(process, "message");
for (let turn = 0; turn < 1_000 && left().length > 0; turn++) await setImmediate();
process.send?.({ left: left() });
process.disconnect();
