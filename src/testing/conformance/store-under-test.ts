// A store as the cases of conformance use it: made anew for each, and let go of however the case ends.
import { equal } from "node:assert/strict";
import { AgentError, type ErrorCode } from "../../core/errors.ts";
import type { Counters, Inbox, Journal, Records, RunHeader, Store } from "../../core/store.ts";
import type { ConformanceCase } from "./one-call.ts";

export interface StoreUnderTest {
  readonly store: Store;
  /** Moves the clock by which the store reckons leases and holds; it stands still otherwise. */
  readonly advance: (ms: number) => void | Promise<void>;
  /** Called after the case, when the store has been closed. */
  readonly remove?: () => void | Promise<void>;
}

/** Makes an empty store. */
export type StoreFor = () => StoreUnderTest | Promise<StoreUnderTest>;

/** The ports, each said to be there. */
export interface Ports {
  readonly journal: Required<Journal>;
  readonly counters: Counters;
  readonly records: Records;
  readonly inbox: Inbox;
  readonly advance: (ms: number) => void | Promise<void>;
}

/** One thing a store has to do; for `caseOn` to run on a store. */
export interface StoreCase {
  readonly name: string;
  readonly use: (ports: Ports) => Promise<void>;
}

export const storeCase = (name: string, use: StoreCase["use"]): StoreCase => ({ name, use });

export function caseOn(storeFor: StoreFor, { name, use }: StoreCase): ConformanceCase {
  return {
    name,
    run: async () => {
      const { store, advance, remove } = await storeFor();
      try {
        await use({ ...portsOf(store), advance });
      } finally {
        await store.close?.();
        await remove?.();
      }
    },
  };
}

/** A port that is not there is told by whoever asks for it. */
function portsOf({ journal, counters, records, inbox }: Store): Omit<Ports, "advance"> {
  const there = <Port>(port: Port | undefined, what: string): Port => {
    if (port !== undefined) return port;
    throw new AgentError("configuration_invalid", `The store has no ${what}; leave their cases out by \`without\`.`);
  };
  return {
    get journal() {
      const leases = "leases: renew, release, free and find";
      return {
        create: (...args) => journal.create(...args),
        claim: (...args) => journal.claim(...args),
        load: (runId) => journal.load(runId),
        append: (...args) => journal.append(...args),
        renew: (...args) => there(journal.renew?.(...args), leases),
        release: (...args) => there(journal.release?.(...args), leases),
        free: (...args) => there(journal.free?.(...args), leases),
        find: (...args) => there(journal.find?.(...args), leases),
      } satisfies Required<Journal>;
    },
    get counters() {
      return there(counters, "counters");
    },
    get records() {
      return there(records, "records");
    },
    get inbox() {
      return there(inbox, "inbox");
    },
  };
}

export const header = (runId: string, more: Partial<RunHeader> = {}): RunHeader => ({ runId, agent: "a", ...more });

/** What is thrown, at once or later, has this code. */
export async function refused(code: ErrorCode, act: () => Promise<unknown> | void): Promise<void> {
  let thrown: unknown;
  try {
    await act();
  } catch (error) {
    thrown = error;
  }
  equal(AgentError.is(thrown) ? thrown.code : thrown, code);
}
