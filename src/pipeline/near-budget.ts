// What a turn does when a budget is nearly used up: it waits a little, and asks a cheaper model. Which model is a choice, and stays one.
import { done, type Outcome, stoppedBySignal } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import { sleep } from "../core/waiting.ts";
import type { Candidate } from "./candidates.ts";
import type { Line } from "./line.ts";

type Tier = readonly [Candidate, ...Candidate[]];

const key = "downgrade";

/** Whether a turn has to look at budgets before it asks. */
export const watchesBudgets = ({ agent }: Line): boolean => agent.models.cheaper !== undefined || agent.budgets.terms.spacingMs > 0;

/** The models to ask in place of those of this turn; undefined for those. `isBegun`: one of them was tried in an earlier pass. */
export async function nearBudget(run: Run, { agent, ledger }: Line, isBegun: boolean): Promise<Outcome<Tier | undefined>> {
  const { cheaper } = agent.models;
  const { spacingMs } = agent.budgets.terms;
  const isChosen = run.chosen(key) !== undefined;
  if (isChosen || isBegun) return done(isChosen ? cheaper : undefined);
  const [standing] = await ledger.near();
  if (!standing) return done(undefined);
  if (spacingMs > 0 && !(await sleep(run.clock, spacingMs, run.signal))) return stoppedBySignal(run.signal);
  if (!cheaper) return done(undefined);
  const { scope, measure } = standing.limit;
  const chosen = await run.decide(key, () => ({ to: cheaper[0].model.id, scope, measure }), "budget");
  return chosen.status === "done" ? done(cheaper) : chosen;
}
