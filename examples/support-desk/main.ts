// The main job, `npm start`: an agent at the support desk of a small shop, on a day on which much goes wrong. Read it from top to bottom.
import assert from "node:assert/strict";
import { type Agent, AgentError, type RunResult, timeline } from "airworthy";
import { openai } from "airworthy/openai";
import { type SimulatedProvider, simulatedProvider } from "airworthy/testing";
import { createDesk } from "./desk.ts";
import { dyingAfter, type Found, openStore, startOrGoOn, tellFound } from "./durable.ts";
import { defaultMessage, type Job, readJob } from "./job.ts";
import { nextReply } from "./provider.ts";
import { createProgress, renderResult, renderTimeline } from "./render.ts";
import { replay } from "./replay.ts";
import { outbox, refundQueue, refunds } from "./shop.ts";

const style = { colours: process.stdout.isTTY && process.stdout.hasColors() };
const job = readJob();
try {
  if (job?.replay && job.file !== undefined) show(await replay({ ...job, file: job.file }, style));
  else if (job) await work(job);
} catch (thrown) {
  // Another process has the file, or a replay takes another way: nothing a stack would help with.
  if (!AgentError.is(thrown)) throw thrown;
  console.error(`${thrown.code}: ${thrown.message} ${thrown.hint}`);
  process.exitCode = 1;
}

async function work({ message, modelId, apiKey, file, dieAfter, budget }: Job) {
  const store = openStore(file);
  const provider = apiKey ? undefined : await simulatedProvider({ rules: nextReply });
  try {
    const desk = createDesk({
      model: openai(modelId, provider ? { apiKey: "none", baseURL: provider.baseURL } : { apiKey: apiKey ?? "" }),
      store,
      ...(budget === undefined ? {} : { budget: { run: { usd: budget } } }),
      use: dieAfter === undefined ? [] : [dyingAfter(dieAfter)],
    });
    const [result, found] = await serve(desk, message, file);
    // With a budget it is no failure to keep to it.
    const isWrappedUp = budget !== undefined && result.status === "partial" && result.error.code === "budget_exceeded";
    process.exitCode = result.status === "completed" || isWrappedUp ? 0 : 1;
    if (budget !== undefined) assert.ok(result.cost.usd <= budget, "a cap is a cap");
    if (provider && result.status === "completed") checkDemo(message, provider, found);
  } finally {
    await provider?.close();
    await store.close?.();
  }
}

async function serve(desk: Agent, message: string, file: string | undefined): Promise<[RunResult, Found]> {
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  const { signal } = interrupt;

  // A run is started, watched and asked for its result. Watching is optional: `await desk.run(message)` does the same in silence.
  const fresh = () => ({ run: desk.stream(message, { signal }), found: "nothing" }) as const;
  const { run, found } = file === undefined ? fresh() : await startOrGoOn(desk, message, signal);

  const progress = createProgress(style);
  process.stdout.write(`Customer: ${message}\n${file === undefined ? "" : tellFound(found, file)}\n`);
  for await (const event of run) process.stdout.write(progress(event));
  const result = await run.result;

  // All that happened is in the run's journal; the timeline is one view of it.
  const entries = await desk.journal(run.runId);
  process.stdout.write(`\n${renderTimeline(timeline(entries), style)}\n`);
  show(result);
  return [result, found];
}

function show(result: RunResult) {
  process.stdout.write(renderResult(result, answerOf(result), style));
}

/** A run always comes to one of these; nothing is thrown for how it ended. */
function answerOf(result: RunResult): string {
  switch (result.status) {
    case "completed":
      return result.output;
    case "partial": // Wrapped up at a limit, deadline or budget. desk.resume(runId, { limits, budget }) would go on.
      return result.text ?? result.explanation;
    case "suspended": // An act broke off and nobody knows whether it happened.
      return `A person has to look at ${result.waitingFor.map(({ tool }) => tool).join(", ")}.`;
    case "refused":
    case "escalated":
    case "cancelled":
    case "halted":
    case "failed":
      return `${result.error.code}: ${result.error.message} ${result.error.hint}`;
  }
}

/** The demo is a test, too. */
function checkDemo(message: string, { requests }: SimulatedProvider, found: Found) {
  const [first, second] = requests;
  if (found === "ended") assert.equal(first, undefined, "what has ended is not asked again");
  if (first || found === "nothing") assert.equal(first?.status, 429);
  assert.deepEqual(second?.body, first?.body, "a request that was turned away is made again, and is the same");
  assert.equal(outbox.length, refunds.length + refundQueue.length, "a refund is told in one mail, and nothing else is mailed");
  if (message !== defaultMessage) return;
  const paid = refunds.filter(({ orderId }) => orderId === "4711").map(({ amountEur }) => amountEur);
  assert.deepEqual(paid, [48.5], "the call was made more than once, the money went out once");
}
