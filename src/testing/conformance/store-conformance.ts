// What the runtime relies on in a store, as cases any test runner can run. Invariant: each case has a store to itself.
import { counterCases } from "./counter-cases.ts";
import { forgettingCases, windowCases } from "./counter-window-cases.ts";
import { journalCases } from "./journal-cases.ts";
import { findCases, leaseCases } from "./lease-cases.ts";
import type { ConformanceCase } from "./one-call.ts";
import { inboxCases, recordCases } from "./record-cases.ts";
import { caseOn, type StoreFor } from "./store-under-test.ts";

export interface StoreConformanceOptions {
  /** What the store does not have: leases are `renew`, `release`, `free` and `find` of its journal, and claims on condition. */
  readonly without?: readonly ("leases" | "counters" | "records" | "inbox")[];
}

/**
 * The cases for a store: its journal with fencing and leases, counters, records and inbox, many at a time.
 *
 *     for (const { name, run } of storeConformance(() => ({ store: acme({ now: () => at }), advance: (ms) => void (at += ms) }))) test(name, run);
 */
export function storeConformance(storeFor: StoreFor, { without = [] }: StoreConformanceOptions = {}): readonly ConformanceCase[] {
  const ofPorts = {
    leases: [...leaseCases, ...findCases],
    counters: [...counterCases, ...windowCases, ...forgettingCases],
    records: recordCases,
    inbox: inboxCases,
  } as const;
  const names = ["leases", "counters", "records", "inbox"] as const;
  const wanted = names.filter((name) => !without.includes(name)).flatMap((name) => ofPorts[name]);
  return [...journalCases, ...wanted].map((storeCase) => caseOn(storeFor, storeCase));
}
