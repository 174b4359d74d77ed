// The door for people: what they may look at and change about runs, from any process that sees the store.
import { AgentError } from "../core/errors.ts";
import { checkOptions, isFunction, isRecord } from "../core/options.ts";
import type { Store } from "../core/store.ts";
import { type BudgetControl, createBudgetControl } from "./budgets.ts";

export interface ControlPlaneOptions {
  /** The one the agents use. */
  readonly store: Store;
  /** In ms since the epoch; default the machine's. It says which window is the current one, so it should go as that of the agents does. */
  readonly now?: () => number;
}

export interface ControlPlane {
  /** What limits stand at, and what people may do about them. */
  readonly budgets: BudgetControl;
}

/** Needs no agent: what is said takes effect wherever the store is used. Throws `configuration_invalid` for a store that lacks a port. */
export function createControlPlane(options: ControlPlaneOptions): ControlPlane {
  checkOptions("configuration_invalid", "createControlPlane", options, { store: isRecord, now: isFunction });
  const { store, now = () => Date.now() } = options;
  const { journal, counters, records } = given(store, "store", "it is where agents keep what they do");
  return {
    budgets: createBudgetControl({
      journal,
      counters: given(counters, "store with counters", "they are what budgets are added up in"),
      records: given(records, "store with records", "they keep which budgets there are, and what people have changed"),
      now,
    }),
  };
}

function given<Part>(part: Part | undefined, what: string, reason: string): Part {
  if (part !== undefined) return part;
  throw new AgentError("configuration_invalid", `createControlPlane needs a ${what}: ${reason}.`);
}
