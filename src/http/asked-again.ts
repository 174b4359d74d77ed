// A request made again with the id of a run that has failed. Where the failure may pass the run goes on; nothing that was done is done again.
import type { Agent } from "../agent.ts";
import type { Entry } from "../core/journal.ts";
import type { RunInput } from "../core/message.ts";
import type { RunOptions } from "../runs/agent-options.ts";

/** The part of an agent that a handler needs. */
export type ServedAgent<Output> = Pick<Agent<Output>, "run" | "stream" | "resume" | "resumeStream" | "journal">;

export interface NamedAsk {
  readonly runId: string;
  readonly input: RunInput;
  readonly options: RunOptions;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Whether there is a run of this id that a failure has stopped which may have passed by now, and is this very request's. That is for the
 * runtime to say: it answers with how a run went only who asks for the same on behalf of the same user.
 */
export async function mayGoOn<Output>(agent: ServedAgent<Output>, { runId, input, options, now }: NamedAsk): Promise<boolean> {
  const entries = await agent.journal(runId).catch((): readonly Entry[] => []);
  const last = entries.findLast(({ type }) => type.startsWith("run."));
  if (last?.type !== "run.stopped" || last.status !== "failed") return false;
  const recorded = await agent.run(input, { ...options, runId });
  if (recorded.status !== "failed" || !recorded.resumable) return false;
  const { retryAt } = recorded.error.details;
  return typeof retryAt !== "number" || retryAt <= now;
}
