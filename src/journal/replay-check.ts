// What a replay is held against: every recorded step and choice, which of them the code has asked for, and the first that it takes differently.
import { AgentError } from "../core/errors.ts";
import { type AskedChoice, type Closing, type Entry, isClosing, type Reason, type ReplayCheck, type StepKind } from "../core/journal.ts";
import type { Json } from "../core/json.ts";
import { jsonDifferences } from "../core/json-difference.ts";
import { copiedEntries } from "./views/turns.ts";

export interface OpenReplayCheck extends ReplayCheck {
  /** The line is through, and would close the run like this. */
  end(now: Closing): void;
  /** The first difference, once there is one. */
  readonly drift: AgentError | undefined;
}

/** `entries` are those of a closed run. */
export function createReplayCheck(entries: readonly Entry[], closing: Closing): OpenReplayCheck {
  const records = recordsOf(entries);
  const met = new Set<string>();
  let drift: AgentError | undefined;
  /** The first thing asked for that is not in the journal: nothing wrong where the run was broken off. */
  let unrecorded: AgentError | undefined;

  const differ = (error: AgentError) => (drift ??= error);
  const unknown = (key: string, what: string, isDrift: boolean, paths: readonly string[] = []) => {
    unrecorded ??= diverged(key, `the code ${what}, which the run did not`, paths);
    return isDrift ? differ(unrecorded) : drift;
  };

  return {
    step: ({ key, kind, name, input }) => {
      const past = records.get(key);
      if (drift) return drift;
      if (past?.type !== "step") return unknown(key, `takes ${kind} ${name}`, closing.status === "completed");
      met.add(key);
      if (past.copied) return undefined;
      const other = past.kind !== kind || past.name !== name ? ` ${past.kind} ${past.name}, and the code takes ${kind} ${name}` : "";
      const paths = jsonDifferences(past.input, input).map((path) => `input${path}`);
      if (other) return differ(diverged(key, `the run took${other}`, paths));
      return paths.length > 0 ? differ(diverged(key, "the code asks for something else", paths)) : undefined;
    },
    choice: (asked) => {
      const { key, reason } = asked;
      const past = records.get(key);
      if (drift) return drift;
      if (past?.type !== "choice") {
        const isOffer = reason === "offer";
        return unknown(
          key,
          isOffer ? "offers something else" : "chooses",
          isOffer || closing.status === "completed",
          offerPaths(records, asked),
        );
      }
      met.add(key);
      if (past.copied) return undefined;
      if (reason !== undefined && reason !== past.reason)
        return differ(diverged(key, `the run chose for the reason ${past.reason}, and the code for ${reason}`));
      const paths = "choice" in asked ? jsonDifferences(past.choice, asked.choice).map((path) => `choice${path}`) : [];
      return paths.length > 0 ? differ(diverged(key, "the code chooses something else", paths)) : undefined;
    },
    end: (now) => {
      const [left] = [...records].find(([key, { owed }]) => owed && !met.has(key)) ?? [];
      if (left !== undefined) differ(unrecorded ?? diverged(left, "the run recorded what the code does not come to any more"));
      else if (otherEnd(closing, now)) differ(diverged("end", `the run was ${nameOf(closing)}, and the code makes it ${nameOf(now)}`));
    },
    get drift() {
      return drift;
    },
  };
}

/** Something the code has to ask for in the same way. */
type Recorded = {
  /** Recorded for good, so that nothing after it counts. */
  readonly fact: boolean;
  /** A fact or choice that the last pass has come by. */
  readonly owed: boolean;
  /** Taken over from the run this one is a fork of, whose agent may have been another. */
  readonly copied: boolean;
} & (
  | { readonly type: "step"; readonly kind: StepKind; readonly name: string; readonly input: Json | undefined }
  | { readonly type: "choice"; readonly reason: Reason; readonly choice: Json }
);

function recordsOf(entries: readonly Entry[]): ReadonlyMap<string, Recorded> {
  const records = new Map<string, Recorded>();
  const firstOwed = beginningOfOwed(entries);
  // A last answer for want of money is no part of a run that went on with more.
  const resumedAt = entries.findLastIndex(({ type }) => type === "run.resumed");
  const copies = copiedEntries(entries);
  for (const [position, entry] of entries.entries()) {
    const copied = position < copies;
    const passed = !copied && position >= firstOwed && !(position < resumedAt && "key" in entry && entry.key.includes("/wrap-up/"));
    if (entry.type === "decided") {
      const { key, reason, choice } = entry;
      records.set(key, { type: "choice", fact: false, owed: passed, copied, reason, choice });
    } else if (entry.type === "attempt.started" || entry.type === "step.done") {
      const past = records.get(entry.key);
      // A fact stays one, whatever was written after it.
      if (past?.fact) continue;
      const { key, kind, name } = entry;
      const input = entry.input ?? (past?.type === "step" ? past.input : undefined);
      const fact = entry.type === "step.done";
      records.set(key, { type: "step", fact, owed: fact && passed, copied, kind, name, input });
    }
  }
  return records;
}

/** A resume under lower limits may have stopped before all that earlier passes had done. */
function beginningOfOwed(entries: readonly Entry[]): number {
  const last = entries.findLast(isClosing);
  const code = last?.error?.code;
  return code !== undefined && isLimit(code) ? entries.findLastIndex(({ type }) => type === "run.resumed") : 0;
}

const limits: ReadonlySet<string> = new Set(["turn_limit", "tool_call_limit", "invalid_call_limit", "failure_limit", "loop_detected"]);
const isLimit = (code: string) => limits.has(code);

/** Where an offer differs from the one that was recorded, when there is one only. */
function offerPaths(records: ReadonlyMap<string, Recorded>, { reason, choice }: AskedChoice): readonly string[] {
  const offers = [...records.values()].flatMap((past) => (past.type === "choice" && past.reason === "offer" ? [past.choice] : []));
  return reason === "offer" && offers.length === 1 ? jsonDifferences(offers[0], choice).map((path) => `offer${path}`) : [];
}

/** A run that was broken off from outside comes to the same end where the journal has nothing more. */
function otherEnd(then: Closing, now: Closing): boolean {
  return then.status !== now.status || then.error?.code !== now.error?.code || answerOf(then) !== answerOf(now);
}

const answerOf = (closing: Closing) => (closing.type === "run.ended" ? JSON.stringify(closing.answer) : undefined);

const nameOf = ({ status, error }: Closing) => (error ? `${status} (${error.code})` : status);

function diverged(key: string, what: string, paths: readonly string[] = []): AgentError {
  const where = paths.length > 0 ? `, at ${paths.join(", ")}` : "";
  return new AgentError("replay_diverged", `The replay differs at ${key}: ${what}${where}.`, {
    details: { key, ...(paths.length > 0 ? { paths } : {}) },
  });
}
