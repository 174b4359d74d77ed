// One run's journal while its owner passes over it: what was recorded is found by key, what is new is written in order and in groups.
import { AgentError, toAgentError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import {
  type Closing,
  type Entry,
  isClosing,
  type NoteAdded,
  type ReplayCheck,
  type RunJournal,
  type StepDone,
  type StepRecord,
} from "../core/journal.ts";
import type { Json } from "../core/json.ts";
import type { Journal, RunPhase } from "../core/store.ts";
import { encode } from "./codec.ts";
import { project } from "./views/projection.ts";
import { createTally, type Tally } from "./views/tally.ts";

export interface JournalParts {
  readonly journal: Journal;
  readonly runId: string;
  readonly epoch: number;
  /** What the store holds so far; a `run.resumed` at its end reopens a stopped run. */
  readonly entries: readonly Entry[];
  /** Absent when nobody watches: then no event is made. */
  readonly emit: ((event: RunEvent) => void) | undefined;
  /** Told what has become durable, entry by entry. */
  readonly durable?: (entry: Entry) => void;
  /** Given for a replay. */
  readonly check?: ReplayCheck;
}

export interface OpenJournal extends RunJournal {
  readonly tally: Tally;
  /** Shows whatever of the recorded entries no step has asked for; the pass is over. */
  showRest(): void;
}

export function openJournal(parts: JournalParts): OpenJournal {
  const past = index(parts.entries);
  const tally = createTally();
  for (const entry of parts.entries) tally.add(entry);
  const attempts = new Map<string, number>();
  const screen = createScreen(parts, past.closing);
  // Once is enough to say that the code or its prompts are not what they were.
  let changeNoted = false;
  const published = (entries: readonly Entry[]) => {
    screen.showUpTo(parts.entries.length);
    for (const entry of entries) {
      tally.add(entry);
      parts.durable?.(entry);
      screen.show(entry);
    }
  };
  const writer = groupWriter(parts, published);

  return {
    tally,
    closing: past.closing,
    check: parts.check,
    get broken() {
      return writer.broken();
    },
    find: (key) => past.steps.get(key),
    tried: (key) => attempts.get(key) ?? past.steps.get(key)?.attempt ?? 0,
    begun: (key) => attempts.has(key),
    leftBehind: (key) => (past.left.get(key) ?? 0) > 0,
    decided: (key) => past.decided.get(key),
    stageDone: (key) => past.stages.has(key),
    reached: (key) => screen.showUpTo((past.positions.get(key) ?? -1) + 1),
    showRest: () => screen.showUpTo(parts.entries.length),
    write: (entries) => {
      if (screen.over) return Promise.reject(new AgentError("journal_conflict", "The run is closed; nothing is added to it any more."));
      for (const entry of entries) {
        if (entry.type === "attempt.started") attempts.set(entry.key, entry.attempt);
      }
      return writer.write(entries);
    },
    hold: writer.hold,
    note: (entry) => {
      if (entry.note === "input-changed" && changeNoted) return;
      changeNoted ||= entry.note === "input-changed";
      noteLeft(past.left, entry);
      if (!screen.over) return writer.hold(entry);
      writer.write([entry])?.catch(() => {}); // the run is over; a remark that cannot be kept is lost, nothing else
    },
  };
}

/** What the consumer sees, in the order of the journal: recorded entries as a pass meets them again, new ones once they are durable. */
function createScreen({ entries, emit }: JournalParts, closing: Closing | undefined) {
  let shown = 0;
  let over = false;
  const show = (entry: Entry) => {
    const event = emit && !over ? project(entry) : undefined;
    if (isClosing(entry)) over = true;
    if (event) emit?.(event);
  };
  return {
    get over() {
      return over;
    },
    show,
    showUpTo: (position: number) => {
      for (; shown < position; shown++) {
        const entry = entries[shown];
        // The stop a resume has reopened is history, not the end of this stream.
        if (entry && (entry === closing || !isClosing(entry))) show(entry);
      }
    },
  };
}

interface Past {
  readonly steps: ReadonlyMap<string, StepRecord>;
  readonly decided: ReadonlyMap<string, Json>;
  readonly stages: ReadonlySet<string>;
  /** Of how many attempts of a step it is not known whether they came to nothing; what is noted in this pass counts too. */
  readonly left: Map<string, number>;
  /** Where the last entry of a step or stage stands. */
  readonly positions: ReadonlyMap<string, number>;
  readonly closing: Closing | undefined;
}

function index(entries: readonly Entry[]): Past {
  const steps = new Map<string, StepRecord>();
  const decided = new Map<string, Json>();
  const stages = new Set<string>();
  const left = new Map<string, number>();
  const positions = new Map<string, number>();
  let closing: Closing | undefined;
  for (const [position, entry] of entries.entries()) {
    if (entry.type === "run.resumed") closing = undefined;
    else if (isClosing(entry)) closing = entry;
    else if (entry.type === "decided") decided.set(entry.key, entry.choice);
    else if (entry.type === "note") noteLeft(left, entry);
    else if (entry.type === "stage.done") {
      stages.add(entry.key);
      positions.set(entry.key, position);
    } else if (entry.type === "attempt.started") {
      const { kind, name, attempt } = entry;
      // A fact stays one, whatever was written after it.
      const before = steps.get(entry.key);
      if (before?.outcome) continue;
      steps.set(entry.key, { kind, name, input: entry.input ?? before?.input, attempt });
    } else if (entry.type === "step.done") {
      steps.set(entry.key, recordOf(entry, steps.get(entry.key)));
      positions.set(entry.key, position);
    }
  }
  return { steps, decided, stages, left, positions, closing };
}

const recordOf = ({ kind, name, attempts, outcome, child, input }: StepDone, before: StepRecord | undefined): StepRecord => ({
  kind,
  name,
  input: input ?? before?.input,
  attempt: attempts,
  outcome,
  ...(child ? { child } : {}),
});

function noteLeft(left: Map<string, number>, { key, note, detail }: NoteAdded) {
  const count = left.get(key) ?? 0;
  if (note === "detached") left.set(key, count + 1);
  else if (note === "late-result" && cameToNothing(detail)) left.set(key, count - 1);
}

/** Of a late result: the attempt says itself that it failed. One that went well has happened, whatever is looked up. */
const cameToNothing = (detail: Json | undefined) =>
  typeof detail === "object" && detail !== null && "status" in detail && detail["status"] === "failed";

/** Writes in order; while the store is busy, what comes in waits and goes as one group. After a failure nothing is written any more. */
function groupWriter({ journal, runId, epoch, entries: loaded }: JournalParts, published: (entries: readonly Entry[]) => void) {
  let sequence = loaded.length;
  let phase: RunPhase = phaseAfter(loaded, "running");
  let group: Entry[] = [];
  let busy: Promise<void> | undefined;
  let queued: Promise<void> | undefined;
  let broken: AgentError | undefined;

  const fail = (thrown: unknown): AgentError => (broken = toAgentError(thrown, "journal_unavailable", "The journal could not be written."));

  const flush = (): Promise<void> | undefined => {
    queued = undefined;
    if (broken) return Promise.reject(broken);
    const entries = group;
    group = [];
    try {
      const pending = journal.append(runId, { epoch, sequence }, entries.map(encode), (phase = phaseAfter(entries, phase)));
      sequence += entries.length;
      if (!pending) {
        published(entries);
        return undefined;
      }
      busy = pending.then(
        () => {
          busy = undefined;
          published(entries);
        },
        (thrown: unknown) => {
          busy = undefined;
          throw fail(thrown);
        },
      );
      return busy;
    } catch (thrown) {
      return Promise.reject(fail(thrown));
    }
  };

  return {
    broken: () => broken,
    hold: (entry: Entry) => {
      group.push(entry);
    },
    write: (entries: readonly Entry[]): Promise<void> | undefined => {
      if (broken) return Promise.reject(broken);
      group.push(...entries);
      if (group.length === 0) return busy;
      return busy ? (queued ??= busy.then(flush)) : flush();
    },
  };
}

function phaseAfter(entries: readonly Entry[], before: RunPhase): RunPhase {
  let phase = before;
  for (const { type } of entries) {
    if (type === "run.ended") phase = "ended";
    else if (type === "run.stopped") phase = "stopped";
    else if (type === "run.resumed") phase = "running";
  }
  return phase;
}
