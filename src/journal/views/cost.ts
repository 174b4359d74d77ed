// A view: what a run has cost, with the runs that are parts of it, and what for. Added up entry by entry, in whole nano-dollars.

import type { Cost } from "../../core/cost.ts";
import type { AttemptStarted, Entry, StepKind } from "../../core/journal.ts";
import { type NanoUsd, nanoOf, usdOf } from "../../core/price.ts";
import type { ChildUsage, RunCost } from "../../core/result.ts";
import { stageOf } from "./projection.ts";

export interface CostTally {
  add(entry: Entry): void;
  cost(): RunCost;
}

interface Place {
  readonly kind: StepKind;
  readonly name: string;
}

interface Spending extends Place {
  readonly nano: NanoUsd;
}

export function createCostTally(): CostTally {
  // Most runs cost nothing that anybody knows: then there is nothing to add up.
  let sums: ReturnType<typeof createSums> | undefined;
  let unpriced = 0;
  /** Attempts that were set money aside for and have not been heard of since. */
  const unheard = new Map<string, Place & { readonly reserved: Cost }>();
  const children = new Map<string, Place & { readonly child: ChildUsage }>();
  /** What was spent since the last stage was done: it belongs to the next. */
  let sinceStage: Spending[] = [];
  let agent = "";

  const spend = (spending: Spending, isKnown: boolean) => {
    if (spending.nano === 0) return;
    (sums ??= createSums()).add(spending, isKnown);
    sinceStage.push(spending);
  };
  const start = ({ key, kind, name, reserved }: AttemptStarted) => {
    const before = unheard.get(key);
    if (before) spend({ ...before, nano: before.reserved.nanoUsd ?? 0 }, false);
    if (reserved) unheard.set(key, { kind, name, reserved });
    else unheard.delete(key);
  };
  const end = (entry: Extract<Entry, { readonly type: "attempt.failed" | "step.done" | "step.abandoned" }>) => {
    const { key, kind, name, cost, usage } = entry;
    if ("attempts" in entry && entry.attempts === 0) return;
    if (cost) {
      unheard.delete(key);
      spend({ kind, name, nano: cost.nanoUsd ?? 0 }, cost.basis !== "reserved");
    }
    const used = cost?.nanoUsd === undefined && (cost ? cost.tokens > 0 : usage !== undefined);
    if (used) unpriced += 1;
    if ("child" in entry && entry.child) children.set(key, { kind, name, child: entry.child });
  };

  return {
    add: (entry) => {
      if (entry.type === "run.started") agent = entry.agent;
      else if (entry.type === "attempt.started") start(entry);
      else if (entry.type === "attempt.failed" || entry.type === "step.done" || entry.type === "step.abandoned") end(entry);
      else if (entry.type === "stage.done") {
        if (sinceStage.length === 0) return;
        for (const spending of sinceStage) sums?.inStage(stageOf(entry.key), spending.nano);
        sinceStage = [];
      }
    },
    cost: () => {
      if (!sums && unheard.size === 0 && children.size === 0) return noCost(unpriced);
      const all = createSums(sums);
      all.unpriced += unpriced;
      for (const { kind, name, reserved } of unheard.values()) all.addUnheard({ kind, name, nano: reserved.nanoUsd ?? 0 });
      for (const { kind, nano } of sinceStage) all.inStage(stageFor(kind), nano);
      all.ofAgent(agent);
      for (const { name, child } of children.values()) if (child.cost) all.addChild(name, child.cost);
      return all.told();
    },
  };
}

/** Of a run that cost nothing that anybody knows. */
export const noCost = (unpriced = 0): RunCost => ({
  usd: 0,
  unconfirmedUsd: 0,
  unpriced,
  byModel: {},
  byTool: {},
  byAgent: {},
  byStage: {},
});

/** Of a stage that was not finished; of a step of the user's nobody knows which one it was. */
const stageFor = (kind: StepKind) => ({ model: "planner", tool: "executor", custom: "other" })[kind];

const cuts = ["byModel", "byTool", "byAgent", "byStage"] as const;
type Cuts = Readonly<Record<(typeof cuts)[number], Map<string, NanoUsd>>>;

interface Sums {
  total: NanoUsd;
  unconfirmed: NanoUsd;
  unpriced: number;
  readonly by: Cuts;
}

function createSums(from?: Sums) {
  const cut = (name: keyof Cuts) => new Map(from?.by[name]);
  const sums: Sums = {
    total: from?.total ?? 0,
    unconfirmed: from?.unconfirmed ?? 0,
    unpriced: 0,
    by: { byModel: cut("byModel"), byTool: cut("byTool"), byAgent: cut("byAgent"), byStage: cut("byStage") },
  };
  const into = (name: keyof Cuts, key: string, nano: NanoUsd) => {
    if (nano > 0) sums.by[name].set(key, (sums.by[name].get(key) ?? 0) + nano);
  };
  const told = (name: keyof Cuts) => Object.fromEntries([...sums.by[name]].map(([key, nano]) => [key, usdOf(nano)]));
  const add = ({ kind, name, nano }: Spending, isKnown: boolean) => {
    sums.total += nano;
    if (!isKnown) sums.unconfirmed += nano;
    if (kind !== "custom") into(kind === "model" ? "byModel" : "byTool", name, nano);
  };
  const inStage = (stage: string, nano: NanoUsd) => into("byStage", stage, nano);
  return Object.assign(sums, {
    add,
    inStage,
    addUnheard: (spending: Spending) => {
      add(spending, false);
      inStage(stageFor(spending.kind), spending.nano);
    },
    ofAgent: (agent: string) => into("byAgent", agent, sums.total),
    addChild: (tool: string, child: RunCost) => {
      const nano = nanoOf(child.usd);
      sums.total += nano;
      sums.unconfirmed += nanoOf(child.unconfirmedUsd);
      sums.unpriced += child.unpriced;
      into("byTool", tool, nano);
      into("byStage", "executor", nano);
      for (const name of ["byModel", "byAgent"] as const)
        for (const [key, usd] of Object.entries(child[name])) into(name, key, nanoOf(usd));
    },
    told: (): RunCost => ({
      usd: usdOf(sums.total),
      unconfirmedUsd: usdOf(sums.unconfirmed),
      unpriced: sums.unpriced,
      byModel: told("byModel"),
      byTool: told("byTool"),
      byAgent: told("byAgent"),
      byStage: told("byStage"),
    }),
  });
}
