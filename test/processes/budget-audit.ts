// Holds what the provider has taken against what the store says, and both against the cap. Invariant: it believes no worker.
import type { Entry, Store } from "airworthy";
import { added, type Charges, chargesOf } from "../promises/journal-charges.ts";
import { budgetKey } from "./budget-spender.ts";
import type { BudgetTrial, BudgetTrialOptions } from "./budget-trial.ts";
import { openPlace, type Place } from "./place.ts";

export interface BudgetAudit {
  /** Empty when the cap has held, from above and from below. */
  readonly problems: readonly string[];
  readonly figures: Readonly<Record<string, string | number>>;
}

interface Books {
  readonly used: number;
  readonly held: number;
  readonly journals: Charges;
  readonly runs: number;
  /** The most that was ever set aside for one attempt. */
  readonly largest: number;
  readonly overruns: number;
}

export async function auditBudget(options: BudgetTrialOptions, trial: BudgetTrial): Promise<BudgetAudit> {
  const books = await booksIn(options.place);
  const cap = Math.round(options.capUsd * 1e9);
  const { takings, decided } = trial;
  const spent = takings.spent + decided;
  const largest = Math.max(books.largest, Math.ceil(trial.largestRefused * 1e9));
  return {
    problems: [...capProblems(options, trial, books, { cap, spent, largest }), ...bookProblems(options, trial, books)],
    figures: {
      store: options.place.kind,
      processes: options.workers + options.deciders,
      "at a time": options.lanes,
      runs: books.runs,
      kills: trial.kills,
      cap: usd(cap),
      "provider's spend": usd(spent),
      ledger: usd(books.used + books.held),
      unconfirmed: usd(books.journals.unconfirmed),
      "largest call": usd(largest),
      "requests charged": takings.charged,
      "requests free": takings.free,
      payments: takings.payments,
      refused: trial.refusals,
      overruns: books.overruns,
      seconds: Math.round(trial.seconds * 10) / 10,
    },
  };
}

interface Sums {
  readonly cap: number;
  readonly spent: number;
  readonly largest: number;
}

/**
 * From above: what was really spent, and what the ledger says. From below: the ledger is within one call of the cap. Real money is, too,
 * when nothing got lost; else as far below as attempts count in full that nobody knows the usage of.
 */
function capProblems(options: BudgetTrialOptions, trial: BudgetTrial, books: Books, { cap, spent, largest }: Sums): readonly string[] {
  const ledger = books.used + books.held;
  const isCalm = options.kills === 0 && options.faultShare === 0;
  return [
    ...(spent <= cap ? [] : [`${usd(spent)} were spent of ${usd(cap)}`]),
    ...(ledger <= cap ? [] : [`the ledger says ${usd(ledger)} of ${usd(cap)}`]),
    ...(spent <= ledger ? [] : [`${usd(spent)} were spent, and the ledger says ${usd(ledger)}`]),
    ...(ledger > cap - largest ? [] : [`the ledger stops at ${usd(ledger)}, more than ${usd(largest)} below ${usd(cap)}`]),
    ...(!isCalm || spent === ledger ? [] : [`nothing got lost, and the ledger says ${usd(ledger)}, not ${usd(spent)}`]),
    ...(options.kills === 0 || trial.kills > 0 ? [] : ["nobody was killed"]),
    ...trial.codes.filter((code) => code !== 0).map((code) => `a process that was asked to end did so with ${code}`),
  ];
}

/** The counter is what the journals say, to the nano-dollar, and nothing is held. Deciders have no journals. */
function bookProblems(
  { deciders }: BudgetTrialOptions,
  { takings }: BudgetTrial,
  { used, held, journals, overruns }: Books,
): readonly string[] {
  const { usd: charged, unconfirmed } = journals;
  return [
    ...(held === 0 ? [] : [`${usd(held)} are still held`]),
    ...(overruns === 0 ? [] : [`${overruns} calls cost more than was set aside`]),
    ...(deciders > 0 || used === charged ? [] : [`the ledger says ${usd(used)}, the journals ${usd(charged)}`]),
    ...(takings.spent <= charged ? [] : [`the journals know of ${usd(charged)} of ${usd(takings.spent)}`]),
    ...(takings.spent >= charged - unconfirmed
      ? []
      : [`the journals are sure of ${usd(charged - unconfirmed)}, and ${usd(takings.spent)} were spent`]),
  ];
}

const usd = (nano: number) => `$${(nano / 1e9).toFixed(6)}`;

async function booksIn(place: Place): Promise<Books> {
  const store = openPlace(place, "reader");
  try {
    const [state] = (await store.counters?.read([budgetKey])) ?? [];
    const journals = await journalsIn(store);
    const entries = journals.flat();
    return {
      used: state?.used ?? 0,
      held: state?.held ?? 0,
      journals: added(journals.map((one) => chargesOf(one))),
      runs: journals.length,
      largest: entries.reduce((most, entry) => Math.max(most, reservedIn(entry)), 0),
      overruns: entries.filter((entry) => entry.type === "note" && entry.note === "budget-overrun").length,
    };
  } finally {
    await store.close?.();
  }
}

const reservedIn = (entry: Entry) => (entry.type === "attempt.started" ? (entry.reserved?.nanoUsd ?? 0) : 0);

const pageLength = 1_000;

async function journalsIn({ journal }: Store): Promise<readonly (readonly Entry[])[]> {
  const all: Entry[][] = [];
  for (let after = {}; ; ) {
    const page = (await journal.find?.({ limit: pageLength, ...after })) ?? [];
    for (const { runId } of page) all.push(((await journal.load(runId)) ?? []).map((line) => JSON.parse(line)));
    const last = page.at(-1);
    if (!last || page.length < pageLength) return all;
    after = { after: last.runId };
  }
}
