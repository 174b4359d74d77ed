// draft
import { createAgent, timeline } from "airworthy";
import { openai } from "airworthy/openai";
import { simulatedProvider } from "airworthy/testing";
import { nextReply } from "./provider.ts";
import { createProgress } from "./render.ts";
import { tools } from "./tools.ts";
const provider = await simulatedProvider({ rules: nextReply });
const agent = createAgent({ name: "support-desk", model: openai("gpt-5-mini", { apiKey: "x", baseURL: provider.baseURL }), instructions: "You are the support desk of a small shop.", tools });
const run = agent.stream(process.argv[2] ?? "Order 4711 arrived damaged. Please refund it.");
const progress = createProgress();
for await (const event of run) { process.stdout.write(progress(event)); if (event.type === "text.delta") console.log(JSON.stringify(event.text)); }
const result = await run.result;
console.table(timeline(await agent.journal(run.runId)));
console.log(result.status, result.usage, result.timings, result.degraded, result.messages.at(-1));
await provider.close();
