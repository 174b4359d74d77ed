// The main job, `npm start`: an agent at the support desk of a small shop, on a day on which much goes wrong. Read it from top to bottom.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { createAgent, type RunResult, timeline } from "airworthy";
import { openai } from "airworthy/openai";
import { type SimulatedProvider, simulatedProvider } from "airworthy/testing";
import { nextReply } from "./provider.ts";
import { createProgress, renderResult, renderTimeline } from "./render.ts";
import { outbox, refundQueue, refunds } from "./shop.ts";
import { tools } from "./tools.ts";

const defaultMessage = "Order 4711 arrived damaged. Please refund it.";
const usage = `Usage: npm start -- [options] ["what the customer writes"]

Without a text the customer writes: ${defaultMessage}
The shop knows the orders 4711, 4712 and 4713. The model is simulated on this machine, and so is
all that goes wrong on the way.

  --live           ask OpenAI instead; needs OPENAI_API_KEY and costs a little
  --model <id>     the model to ask, default gpt-5-mini
  -h, --help       this text`;

const options = {
  live: { type: "boolean" },
  model: { type: "string", default: "gpt-5-mini" },
  help: { type: "boolean", short: "h" },
} as const;

interface Job {
  readonly message: string;
  readonly modelId: string;
  /** Absent: simulate. */
  readonly apiKey: string | undefined;
}

const job = readJob();
if (job) await work(job);

async function work({ message, modelId, apiKey }: Job) {
  const provider = apiKey ? undefined : await simulatedProvider({ rules: nextReply });

  // An agent is made once and checked as a whole: what is wrong in here throws before anything is spent.
  const desk = createAgent({
    name: "support-desk",
    version: "1",
    model: openai(modelId, provider ? { apiKey: "none", baseURL: provider.baseURL } : { apiKey: apiKey ?? "" }),
    instructions: `You are the support desk of a small shop. Look an order up before you say anything about it. Refund what was
delivered late, damaged or wrong: what was paid, once. Then mail the customer. Say only what the tools told you, in two sentences.`,
    tools,
    policy: { limits: { turns: 12, toolCalls: 10 }, timeouts: { totalMs: 60_000 } },
  });

  // A run is started, watched and asked for its result. Watching is optional: `await desk.run(message)` does the same in silence.
  const interrupt = new AbortController();
  process.once("SIGINT", () => interrupt.abort());
  const run = desk.stream(message, { signal: interrupt.signal });

  const style = { colours: process.stdout.isTTY && process.stdout.hasColors() };
  const show = createProgress(style);
  process.stdout.write(`Customer: ${message}\n\n`);
  for await (const event of run) process.stdout.write(show(event));
  const result = await run.result;

  // All that happened is in the run's journal; the timeline is one view of it.
  const entries = await desk.journal(run.runId);
  process.stdout.write(`\n${renderTimeline(timeline(entries), style)}\n${renderResult(result, answerOf(result), style)}`);

  await provider?.close();
  process.exitCode = result.status === "completed" ? 0 : 1;
  if (provider && result.status === "completed") checkDemo(message, provider);
}

/** A run always comes to one of these; nothing is thrown for how it ended. */
function answerOf(result: RunResult): string {
  switch (result.status) {
    case "completed":
      return result.output;
    case "partial": // Wrapped up at a limit or deadline. desk.resume(runId, { limits }) would go on.
      return result.explanation;
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
function checkDemo(message: string, { requests }: SimulatedProvider) {
  const [first, second] = requests;
  assert.equal(first?.status, 429);
  assert.deepEqual(second?.body, first?.body, "a request that was turned away is made again, and is the same");
  assert.equal(outbox.length, refunds.length + refundQueue.length, "a refund is told in one mail, and nothing else is mailed");
  if (message !== defaultMessage) return;
  const paid = refunds.map(({ orderId, amountEur }) => ({ orderId, amountEur }));
  assert.deepEqual(paid, [{ orderId: "4711", amountEur: 48.5 }], "the call was made twice, the money went out once");
}

/** Undefined when there is nothing to do; then it has been said why. */
function readJob(): Job | undefined {
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const message = positionals.length > 0 ? positionals.join(" ") : defaultMessage;
    const apiKey = values.live ? process.env["OPENAI_API_KEY"] : undefined;
    if (!message.trim()) throw new TypeError("What the customer writes is empty.");
    if (!values.model.trim()) throw new TypeError("Option '--model <id>' is empty.");
    if (values.live && !apiKey && !values.help) throw new TypeError("--live needs your key in the environment variable OPENAI_API_KEY.");
    if (!values.help) return { message, modelId: values.model, apiKey };
    console.log(usage);
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown;
    console.error(`${thrown.message}\n\n${usage}`);
    process.exitCode = 2;
  }
  return undefined;
}
