// The layer that pays: the most an attempt can cost is set aside before it is made, and what it has cost is written down with how it ended.

import type { Charge, Cost, Reserved } from "../../core/cost.ts";
import { AgentError, toAgentError } from "../../core/errors.ts";
import type { Standing, StepCost, WorstCase } from "../../core/ledger.ts";
import { failed, type Outcome, stoppedBy, stoppedBySignal } from "../../core/outcome.ts";
import { usdOf } from "../../core/price.ts";
import type { Layer, Next, Step, StepContext } from "../../core/step.ts";
import { costAttributes, noTrace, spanEvents } from "../../core/trace.ts";
import { withinTime } from "../../core/waiting.ts";
import { amountIn } from "./exceeded.ts";

/**
 * Per attempt, inside breaker and retries: what they hold back costs nothing. A refusal is `budget_exceeded`, and nothing was sent. Hands on
 * what was set aside; an attempt that was never begun gives it back.
 */
export const budgeted: Layer = (step, context, next) => {
  if (!step.cost) return next(step, context);
  return context.ledger.limits.length > 0 ? paid(step, step.cost, context, next) : priced(step, step.cost, context, next);
};

/** Nothing is limited: what it has cost is only written down. */
async function priced<T>(step: Step<T>, cost: StepCost<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  const outcome = await next(step, context);
  const charge = chargeOf(cost, outcome, undefined);
  if (charge && context.journal.tried(step.key) >= context.attempt) keep(charge, step, context);
  return outcome;
}

async function paid<T>(step: Step<T>, cost: StepCost<T>, context: StepContext, next: Next): Promise<Outcome<T>> {
  const { ledger, journal, attempt } = context;
  const worst = worstOf(cost, step.name);
  if (worst instanceof AgentError) return failed(worst);
  const reserved = await setAside(step, worst, context);
  if (reserved instanceof AgentError) return stoppedBy(reserved);
  if (!reserved || context.signal.aborted) {
    ledger.release({ key: step.key, attempt });
    return stoppedBySignal(context.signal);
  }
  for (const standing of ledger.takeWarnings()) warn(step, context, standing);
  const outcome = await next(step, { ...context, reserved });
  const isBegun = journal.tried(step.key) >= attempt;
  // A store that failed may have taken the announcement all the same: then what was set aside stays until the journal is read again.
  if (isSomebodyElses(outcome, context) || (!isBegun && !journal.broken)) ledger.release({ key: step.key, attempt });
  if (!isBegun || journal.broken?.code === "journal_conflict") return outcome;
  const charge = chargeOf(cost, outcome, reserved) ?? { ...reserved, basis: "reserved" };
  keep(markOverrun(charge, reserved, step, context), step, context);
  return outcome;
}

/** Costs of tools and of steps are code of the user's: what cannot be reckoned with is not begun. */
function worstOf<T>(cost: StepCost<T>, name: string): WorstCase | AgentError {
  const unknown = (cause?: unknown) =>
    new AgentError("tool_failed", `What ${name} costs at most is no amount; it was not begun.`, { cause });
  try {
    const worst = cost.worst();
    return isCost(worst) ? { ...worst, ...counted(worst) } : unknown();
  } catch (thrown) {
    return unknown(thrown);
  }
}

/** Nothing is lost of what was done because nobody can say what it cost: undefined then. */
function chargeOf<T>(cost: StepCost<T>, outcome: Outcome<T>, reserved: Reserved | undefined): Charge | undefined {
  try {
    const charge = cost.charge(outcome, reserved);
    return charge && isCost(charge) ? { ...charge, ...counted(charge) } : undefined;
  } catch {
    return undefined;
  }
}

const isCost = ({ nanoUsd = 0, tokens }: Cost): boolean => [nanoUsd, tokens].every((amount) => Number.isFinite(amount) && amount >= 0);

/** No attempt counts for more, whatever is said of it: the sum of many has to stay a number that can be counted. */
const mostCounted = 10 ** 13;

const counted = ({ nanoUsd, tokens }: Cost): Cost => ({
  ...(nanoUsd === undefined ? {} : { nanoUsd: Math.min(mostCounted, Math.ceil(nanoUsd)) }),
  tokens: Math.min(mostCounted, Math.ceil(tokens)),
});

/** For the entry that tells how the attempt ended, and for the span of the step. */
function keep<T>(charge: Charge, step: Step<T>, { ledger, trace }: StepContext) {
  const sum = ledger.charged(step.key, charge);
  if (charge.nanoUsd !== undefined && trace !== noTrace) trace.set(costAttributes(step.kind, usdOf(sum), charge.basis));
}

/**
 * The run has another owner, so the store has refused the entry and the attempt was not made. That owner may have settled what was left
 * before this was set aside; nobody else would give it back.
 */
const isSomebodyElses = (outcome: Outcome<unknown>, { journal }: StepContext): boolean =>
  outcome.status === "failed" && outcome.error === journal.broken && outcome.error.code === "journal_conflict";

/** A store that does not answer holds nobody past the end of the run; what it grants later is given back. */
async function setAside<T>(step: Step<T>, worst: WorstCase, context: StepContext): Promise<Reserved | AgentError | undefined> {
  const { ledger, clock, signal, attempt } = context;
  const asking = settledFirst(context).then((broken) => broken ?? ledger.reserve({ key: step.key, attempt }, worst));
  const answer = await withinTime(clock, 0, signal, () => asking);
  if (!answer) void asking.then((late) => (late instanceof AgentError ? undefined : ledger.release({ key: step.key, attempt })));
  return answer;
}

/** What an earlier attempt did not cost after all must not stand in the way of this one. */
async function settledFirst({ ledger, journal }: StepContext): Promise<AgentError | undefined> {
  if (!ledger.owes) return undefined;
  try {
    await journal.write([]);
    return undefined;
  } catch (thrown) {
    return toAgentError(thrown, "journal_unavailable", "The journal could not be written.");
  }
}

/** What ran over is charged in full, and said. */
function markOverrun<T>(charge: Charge, reserved: Reserved, step: Step<T>, { journal, clock, trace }: StepContext): Charge {
  const over = (charge.nanoUsd ?? 0) > (reserved.nanoUsd ?? Number.POSITIVE_INFINITY) || charge.tokens > reserved.tokens;
  if (!over) return charge;
  const detail = { charged: charge.nanoUsd ?? 0, reserved: reserved.nanoUsd ?? 0, tokens: charge.tokens, reservedTokens: reserved.tokens };
  journal.note({ type: "note", at: clock.now(), key: step.key, note: "budget-overrun", detail });
  trace.event(spanEvents.budgetOverrun, { tokens: charge.tokens, reserved_tokens: reserved.tokens });
  return { ...charge, overrun: true };
}

function warn<T>(step: Step<T>, { journal, clock, trace }: StepContext, { limit, spent, reserved }: Standing) {
  const { scope, measure, most } = limit;
  const detail = {
    scope,
    measure,
    limit: amountIn(measure, most),
    spent: amountIn(measure, spent),
    reserved: amountIn(measure, reserved),
  };
  journal.note({ type: "note", at: clock.now(), key: step.key, note: "budget-near", detail });
  trace.event(spanEvents.budgetNear, detail);
}
