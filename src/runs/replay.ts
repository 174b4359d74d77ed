// Replays a run: the line is walked once more with its journal, nothing outside is touched, and any difference is an error.
import type { Clock } from "../core/clock.ts";
import { AgentError } from "../core/errors.ts";
import { closingIn, type Entry } from "../core/journal.ts";
import { checkOptions, isText } from "../core/options.ts";
import type { RunResult } from "../core/result.ts";
import { noTrace } from "../core/trace.ts";
import { createReplayCheck } from "../journal/replay-check.ts";
import type { AgentParts } from "../pipeline/line.ts";
import type { ReplayOptions } from "./agent-options.ts";
import { replayChecks } from "./check-options.ts";
import { drive } from "./drive.ts";
import { loadEntries, readRun, runActive } from "./open-run.ts";

/** Rejects with `run_not_found`, `run_id_conflict`, `run_active` for one that is not over, and `replay_diverged`. */
export async function replayRun<Output>(
  agent: AgentParts,
  source: string | readonly Entry[],
  options: ReplayOptions,
): Promise<RunResult<Output>> {
  checkOptions("input_invalid", "replay", options, replayChecks);
  if (!isText(source) && !Array.isArray(source)) throw new AgentError("input_invalid", "replay needs the id of a run, or its entries.");
  const entries = typeof source === "string" ? await loadEntries(agent, source) : source;
  const known = readRun(agent, entries, options.context);
  const closing = closingIn(entries);
  if (!closing) throw runActive(known.run.id);
  const check = createReplayCheck(entries, closing);
  const still: AgentParts = { ...agent, clock: stillClock(closing.at) };
  const opened = { ...known, epoch: 0, entries, trace: noTrace };
  const { signal } = new AbortController();
  const result = await drive<Output>(opened, { agent: still, streamed: false, emit: undefined, signal, check });
  if (check.drift) throw check.drift;
  return result;
}

/** For whoever asks all the same, it is the time at which the run was over. */
const stillClock = (at: number): Clock => ({ now: () => at, after: () => () => {} });
