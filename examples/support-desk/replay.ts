// `--replay`: walks through a kept run once more. Invariant: a model that is asked, or a tool that is called, fails it.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { AgentError, type RunResult, timeline } from "airworthy";
import { openai } from "airworthy/openai";
import { sqlite } from "airworthy/sqlite";
import { createDesk } from "./desk.ts";
import { runIdOf } from "./durable.ts";
import { type RenderOptions, renderTimeline } from "./render.ts";
import { tools } from "./tools.ts";

export interface ReplayJob {
  readonly message: string;
  readonly modelId: string;
  readonly file: string;
}

/** Prints the timeline and answers the result, which is the run's own. Rejects with `replay_diverged` where the code takes another way. */
export async function replay({ message, modelId, file }: ReplayJob, style: RenderOptions): Promise<RunResult> {
  if (!existsSync(file)) throw new AgentError("run_not_found", `There is no file ${file}.`, { hint: "--durable makes it." });
  const touched: string[] = [];
  const untouchable = (name: string) => () => {
    touched.push(name);
    return Promise.reject(new Error(`A replay does not touch ${name}.`));
  };
  // A reader: it can look at runs, and change none.
  const store = sqlite(file, { role: "reader" });
  const desk = createDesk({
    model: { ...openai(modelId, { apiKey: "none" }), call: untouchable(modelId) },
    tools: Object.fromEntries(Object.entries(tools).map(([name, one]) => [name, { ...one, execute: untouchable(name) }])),
    store,
  });
  try {
    const result = await desk.replay(runIdOf(message));
    const entries = await desk.journal(result.runId);
    assert.deepEqual(touched, []);
    process.stdout.write(`Replayed from ${file}: the code takes the same way. No model was asked, no tool was called.\n\n`);
    process.stdout.write(`${renderTimeline(timeline(entries), style)}\n`);
    return result;
  } finally {
    await store.close();
  }
}
