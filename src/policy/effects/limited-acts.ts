// The places that one pass over a run holds for its acts. Invariant: a place is given up only for what surely has not happened, by the journal.

import type { Act, Acts } from "../../core/act.ts";
import { AgentError, toAgentError } from "../../core/errors.ts";
import type { Entry, PlaceEnd } from "../../core/journal.ts";
import type { Counters } from "../../core/store.ts";
import { createTelling } from "../budgets/settling.ts";
import { keyPart } from "../keys.ts";
import type { ByStore } from "../window-hold.ts";
import { type EffectRule, overLimit, placesOf } from "./effects.ts";

/** What a pass needs to hold places. */
export interface ActsParts {
  readonly counters: Counters;
  readonly runId: string;
  /** Of the claim the pass has: what it gives up can be no other owner's. */
  readonly epoch: number;
  /** By the name of the tool. */
  readonly rules: ReadonlyMap<string, readonly EffectRule[]>;
  /** What the journal says so far. */
  readonly entries: readonly Entry[];
  /** How long a place is held when nobody is heard of any more; then it counts as used. Milliseconds. */
  readonly holdMs: number;
  readonly now: () => number;
  readonly byStore: ByStore;
}

export interface OpenActs extends Acts {
  /** Takes over what earlier passes hold, and brings it in line with the journal. */
  recover(entries: readonly Entry[]): Promise<void>;
  /** Waits until everything is told to the store. */
  settled(): Promise<void>;
}

interface Place {
  readonly id: string;
  readonly amounts: Readonly<Record<string, number>>;
}

export function openActs(parts: ActsParts): OpenActs {
  const { counters, rules } = parts;
  const prefix = `effect/${keyPart(parts.runId)}/`;
  const places = new Map<string, Place>();
  const words = createWords(parts.entries);
  const ends = new Map<string, PlaceEnd>();
  const telling = createTelling();

  const settle = (key: string, end: PlaceEnd) => {
    const place = places.get(key);
    if (!place) return;
    places.delete(key);
    telling.add(() => counters.settle(place.id, end === "used" ? place.amounts : {}));
  };

  return {
    covers: (key, { tool }) => rules.has(tool) || places.has(key),
    reserve: async (key, act) => {
      if (places.has(key)) return undefined;
      try {
        // What this run has given up by now is free before it asks for more.
        await telling.done();
        const place = await ask(parts, `${prefix}${parts.epoch}/${key}`, act);
        if (place instanceof AgentError) return place;
        places.set(key, place);
        return undefined;
      } catch (thrown) {
        return toAgentError(thrown, "journal_unavailable", "The limits of effects could not be read or written; nothing was started.");
      }
    },
    release: (key) => settle(key, "released"),
    failed: ({ key, attempt }, { code, details }) => words.add(key, attempt, code, details["silent"] === true),
    allFailed: (key, first, last) => words.all(key, first, last),
    ended: (key, end) => void ends.set(key, end),
    takeEnd: (key) => (places.has(key) ? ends.get(key) : undefined),
    follow: (entry) => {
      if (entry.type === "step.done" && entry.place) settle(entry.key, entry.place);
      if (entry.type !== "run.ended") return;
      // Nobody goes on with it: what nobody has heard of may have happened.
      for (const key of Array.from(places.keys())) settle(key, ends.get(key) ?? "used");
    },
    recover: async (entries) => {
      const known = standingsIn(entries);
      for (const [id, holds] of Map.groupBy(await counters.open(prefix), ({ id: of }) => of)) {
        const key = id.slice(id.indexOf("/", prefix.length) + 1);
        const place = { id, amounts: Object.fromEntries(holds.map((hold) => [hold.key, hold.amount])) };
        const standing = known.get(key) ?? "released";
        if (standing === "begun") places.set(key, place);
        else await counters.settle(id, standing === "used" ? place.amounts : {});
      }
    },
    settled: () => telling.done(),
  };
}

/** A place under every limit of the act, or the error that says which would be passed. */
async function ask({ counters, rules, holdMs, now, byStore }: ActsParts, id: string, act: Act): Promise<Place | AgentError> {
  const at = now();
  const asked = placesOf(rules.get(act.tool) ?? [], act, at, byStore);
  if (asked instanceof AgentError) return asked;
  const holds = [...asked.values()].map(({ hold }) => hold);
  const answer = await counters.reserve(id, holds, holdMs);
  if (answer.granted) return { id, amounts: Object.fromEntries(holds.map((hold) => [hold.key, hold.amount])) };
  const refused = asked.get(answer.refusedBy);
  return refused ? overLimit(refused, answer, at) : new AgentError("internal_error", "The store refused what it was not asked for.");
}

/** Of a run whose acts nothing limits. */
export const noActs: OpenActs = {
  covers: () => false,
  reserve: () => Promise.resolve(undefined),
  release: () => {},
  failed: () => {},
  allFailed: () => false,
  ended: () => {},
  takeEnd: () => undefined,
  follow: () => {},
  recover: () => Promise.resolve(),
  settled: () => Promise.resolve(),
};

/** Which attempts have said of themselves that they failed: a throw is a word, a lost connection or a time-out is none. */
function createWords(entries: readonly Entry[]) {
  const attempts = new Map<string, Set<number>>();
  const add = (key: string, attempt: number, code: AgentError["code"], silent: boolean) => {
    if ((code !== "tool_failed" || silent) && code !== "depth_limit") return;
    attempts.set(key, (attempts.get(key) ?? new Set()).add(attempt));
  };
  for (const entry of entries) {
    if (entry.type === "attempt.failed") add(entry.key, entry.attempt, entry.error.code, entry.error.details?.["silent"] === true);
  }
  return {
    add,
    all: (key: string, first: number, last: number) => {
      const said = attempts.get(key);
      for (let attempt = first; attempt <= last; attempt++) if (!said?.has(attempt)) return false;
      return true;
    },
  };
}

/** What the journal says of each step that was begun. */
function standingsIn(entries: readonly Entry[]): ReadonlyMap<string, PlaceEnd | "begun"> {
  const standings = new Map<string, PlaceEnd | "begun">();
  for (const entry of entries) {
    if (entry.type === "attempt.started" && !standings.has(entry.key)) standings.set(entry.key, "begun");
    else if (entry.type === "step.done") standings.set(entry.key, entry.place ?? (entry.attempts > 0 ? "used" : "released"));
  }
  return standings;
}
