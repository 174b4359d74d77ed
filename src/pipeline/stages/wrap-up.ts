// When the money runs out: a last answer from what there is, paid from what was kept back for it. It says what is missing.
import type { Cost } from "../../core/cost.ts";
import type { AgentError } from "../../core/errors.ts";
import { isOfThePass } from "../../core/errors.ts";
import { textOf } from "../../core/message.ts";
import { done, type Outcome } from "../../core/outcome.ts";
import type { Run } from "../../core/run.ts";
import { worstCase } from "../../policy/prices/cost.ts";
import { askModel } from "../ask-model.ts";
import type { Line } from "../line.ts";
import { filterOutput } from "./output-filter.ts";

/** Whether such an answer is asked for: not of a run within a run, whose caller wraps up, nor where there is nothing to tell. */
export const canWrapUp = ({ facts }: Run, { agent, finished }: Line, { code }: AgentError): boolean =>
  code === "budget_exceeded" && agent.models.wrapUp !== undefined && facts.parent === undefined && finished.length > 0;

/** What a turn may add to the conversation before it turns out that there is no more money; tokens, a guess. */
const roomForTurn = 1_000;

/** Keeps what such an answer would cost now back from everything else. */
export function keepBackForWrapUp({ facts }: Run, { agent, ledger, tokens, thread }: Line): void {
  const { wrapUp } = agent.models;
  if (!wrapUp || facts.parent !== undefined || ledger.limits.length === 0) return;
  const { price, factor, offer } = wrapUp;
  const counted = tokens.request(thread.messages, offer);
  const output = offer.settings.maxOutputTokens ?? 0;
  const costOf = (room: number): Cost => {
    const input = factor.atMost(counted + room);
    const most = price && worstCase(price, input);
    return { ...(most ? { nanoUsd: Math.ceil(most.base + output * most.perOutputToken) } : {}), tokens: input + output };
  };
  ledger.keepBack([costOf(roomForTurn), costOf(0)]);
}

/** Shows what the model makes of it, once that has passed the output guardrails. Without an answer the run is told of in our words only. */
export async function wrapUpInWords(run: Run, line: Line, turn: number): Promise<Outcome<null>> {
  const candidate = line.agent.models.wrapUp;
  if (!candidate) return done(null);
  const before = line.thread.latestAnswer();
  line.thread.addReask(wordsFor(line), "budget");
  const answered = await askModel(run, line, { candidate, position: 0, turn, fresh: line.thread.takeNew(), isWrapUp: true });
  if (answered.status !== "done") return orNothing(answered);
  const { response, ref } = answered.value;
  const text = textOf(response.message);
  line.thread.add({ role: "assistant", content: response.message.content.filter(({ type }) => type !== "tool-call") }, ref);
  line.window.finish(turn, text);
  const filtered = await filterOutput(run, line, turn, { text, calls: [], finishReason: response.finishReason }, before);
  return filtered.status === "done" ? done(null) : orNothing(filtered);
}

/** What ends the whole pass ends it here, too; all else only means that there is no such answer. */
function orNothing(stopped: Exclude<Outcome<never>, { status: "done" }>): Outcome<null> {
  if (stopped.status === "halted" || (stopped.status === "failed" && isOfThePass(stopped.error.code))) return stopped;
  return done(null);
}

function wordsFor({ unfinished }: Line): string {
  const missing = unfinished.length > 0 ? ` Not done: ${[...new Set(unfinished)].join(", ")}.` : "";
  return `There is no budget left to go on.${missing} Answer the user now from what is known above, in a few sentences and without calling anything. Say plainly what could not be done.`;
}
