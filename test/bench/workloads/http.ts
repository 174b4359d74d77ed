// Over HTTP with the real SDK, 64 runs at a time: what share of a bare SDK loop's throughput is left, with the provider in its own process.
import { openai } from "airworthy/openai";
import OpenAI from "openai";
import { z } from "zod";
import { endChild, nextMessage, startChild } from "../child.ts";
import { type Contender, type Effort, type Figure, median, type Workload } from "../measure.ts";
import { addOne, agentOf, ensureAnswer, inputSchema } from "../scripted-replies.ts";

const concurrent = 64;

/** The tool loop of the SDK's own documentation. */
function loopBySdk(baseURL: string) {
  const client = new OpenAI({ apiKey: "test", baseURL, maxRetries: 0 });
  const { $schema: _, ...parameters } = z.toJSONSchema(inputSchema);
  const tools = [{ type: "function" as const, function: { name: "add", description: "Adds one.", parameters } }];
  return async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "go" }];
    for (;;) {
      const { choices } = await client.chat.completions.create({ model: "bench", messages, tools });
      const message = choices[0]?.message;
      if (!message?.tool_calls) return message?.content;
      messages.push(message);
      for (const call of message.tool_calls) {
        if (call.type !== "function") continue;
        const output = addOne(inputSchema.parse(JSON.parse(call.function.arguments)));
        messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(output) });
      }
    }
  };
}

const sideBySide =
  (run: () => Promise<unknown>): Contender =>
  async (runs) => {
    let left = runs;
    const lane = async () => {
      while (left-- > 0) ensureAnswer(await run());
    };
    await Promise.all(Array.from({ length: concurrent }, lane));
  };

interface Spent {
  readonly wallUs: number;
  readonly cpuUs: number;
}

async function spentBy(contender: Contender, runs: number): Promise<Spent> {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await contender(runs);
  const wallUs = ((performance.now() - startedAt) * 1_000) / runs;
  const { user, system } = process.cpuUsage(cpu);
  return { wallUs, cpuUs: (user + system) / runs };
}

async function compared(effort: Effort, baseURL: string): Promise<readonly Figure[]> {
  const agent = agentOf(openai("bench", { apiKey: "test", baseURL }));
  const [ours, byHand] = [sideBySide(() => agent.run("go")), sideBySide(loopBySdk(baseURL))];
  const runs = effort.runs(1_000);
  await ours(runs);
  await byHand(runs);
  const shares: number[] = [];
  const cpu = { ours: [] as number[], byHand: [] as number[] };
  for (let round = 0; round < effort.rounds; round++) {
    const [own, bare] = [await spentBy(ours, runs), await spentBy(byHand, runs)];
    shares.push(bare.wallUs / own.wallUs);
    cpu.ours.push(own.cpuUs);
    cpu.byHand.push(bare.cpuUs);
    effort.tell(round + 1, effort.rounds);
  }
  const what = "over HTTP, 64 runs of 3 requests at a time";
  return [
    { what, unit: "share of a bare SDK loop's runs/s", ours: median(shares), byHand: 1, aim: 0.85, atLeast: true },
    { what, unit: "us of processor time per run", ours: median(cpu.ours), byHand: median(cpu.byHand), aim: median(cpu.byHand) / 0.85 },
  ];
}

export const http: Workload = {
  name: "http",
  measure: async (effort) => {
    const provider = startChild("provider-process.ts");
    try {
      const { baseURL = "" }: { baseURL?: string } = Object(await nextMessage(provider));
      return await compared(effort, baseURL);
    } finally {
      await endChild(provider);
    }
  },
};
