// Crowds in a process of their own, so that their memory is nobody else's: `crowd-process.ts <ours|by-hand> <size>`.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { loopByHand } from "./loop-by-hand.ts";
import { agentOf, countingModel, ensureAnswer, oneByOne } from "./scripted-replies.ts";

const stepMs = 20;
/** The last of the three answers is a step too. */
const turns = 2;

const [contender, size = "1000"] = process.argv.slice(2);

const waiting = countingModel(turns, 1, () => setTimeout(stepMs));
const quick = countingModel(turns);
const [waitingAgent, quickAgent] = [agentOf(waiting), agentOf(quick)];
const run = (): Promise<unknown> => (contender === "ours" ? waitingAgent.run("go") : loopByHand(waiting));
const warmUp = (): Promise<unknown> => (contender === "ours" ? quickAgent.run("go") : loopByHand(quick));

async function crowd() {
  const results = await Promise.all(Array.from({ length: Number(size) }, run));
  results.forEach(ensureAnswer);
}

/** What the process grew by at most, from after a collection. */
async function memoryOf(work: () => Promise<void>): Promise<number> {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  const watch = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 2);
  await work();
  clearInterval(watch);
  return (Math.max(most, process.memoryUsage.rss()) - before) / 2 ** 20;
}

async function timeOf(work: () => Promise<void>) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // Its first tick only starts the clock.
  await setTimeout(stepMs);
  delay.reset();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  delay.disable();
  return { wallMs, delayMs: delay.percentile(99) / 1e6 };
}

await oneByOne(warmUp)(Number(size) * 2);
const megabytes = await memoryOf(crowd);
// As in a process that has served such crowds before: the collection above has shrunk its young generation.
for (let times = 0; times < 5; times++) await crowd();
process.send?.({ ...(await timeOf(crowd)), megabytes });
