// The line: the whole life of a request, read top to bottom. It touches nothing outside itself but through `run`.
import { done, type Outcome, refused, type Stopped } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import type { Offer } from "./candidates.ts";
import type { Answer, Line } from "./line.ts";
import { filterInput } from "./stages/input-filter.ts";
import { filterOutput } from "./stages/output-filter.ts";
import { canWrapUp, keepBackForWrapUp, wrapUpInWords } from "./stages/wrap-up.ts";

export async function pipeline(run: Run, line: Line): Promise<Outcome<Answer>> {
  const { stages } = line.agent;

  // A resume with other tools or settings is recorded beside what the run began with.
  for (const offer of line.agent.models.offers) run.remember(`offer/${offer.print}`, recordable(offer), "offer");

  const said = await run.stage("input-filter", (here) => filterInput(here, line));
  if (said.status !== "done") return said;

  const known = await run.stage("context", (here) => stages.context(here, line, said.value));
  if (known.status !== "done") return known;

  for (let turn = 1; ; turn++) {
    const spent = line.limits.turn(turn);
    if (spent) return refused(spent);
    if (turn > 1) keepBackForWrapUp(run, line);
    const here = run.at(`turn-${turn}`);
    const next = await takeTurn(here, line, turn);
    if (next.status !== "done") return wrappedUp(here, line, turn, next);
    if (next.value) return done(next.value);
  }
}

/** A run that no budget lets go on says what there is, where it can. */
async function wrappedUp(run: Run, line: Line, turn: number, stopped: Stopped): Promise<Outcome<never>> {
  if (stopped.status !== "refused" || !canWrapUp(run, line, stopped.error)) return stopped;
  const told = await run.stage("wrap-up", (here) => wrapUpInWords(here.at("wrap-up"), line, turn + 1));
  return told.status === "failed" || told.status === "halted" ? told : stopped;
}

/** One turn: a plan and its calls, or an answer on its way out. Null means: go on. */
async function takeTurn(run: Run, line: Line, turn: number): Promise<Outcome<Answer | null>> {
  const { stages } = line.agent;

  const before = line.thread.latestAnswer();
  const plan = await run.stage("planner", (here) => stages.planner(here, line, turn));
  if (plan.status !== "done") return plan;

  if (plan.value.calls.length > 0) return run.stage("executor", (here) => stages.executor(here, line, plan.value));

  const filtered = await run.stage("output-filter", (here) => filterOutput(here, line, turn, plan.value, before));
  if (filtered.status !== "done") return filtered;
  if ("reask" in filtered.value) {
    line.thread.addReask(filtered.value.reask, filtered.value.by);
    return done(null);
  }
  const { text } = filtered.value;
  return run.stage("response-builder", (here) => stages.responseBuilder(here, line, text, plan.value));
}

const recordable = ({ tools, settings, output }: Offer) => ({
  tools: tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
  settings: { ...settings },
  ...(output ? { output: { ...output } } : {}),
});
