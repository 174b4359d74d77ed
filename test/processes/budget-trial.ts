// One trial of one budget: spenders in processes of their own, killed at random and started again, until nobody can afford anything more.
// Invariant: no process that was started here is left when it is over.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import type { Spending } from "./budget-spender.ts";
import type { SpenderWord, SpendingTask } from "./budget-worker-process.ts";
import type { BudgetWorldWord, Takings } from "./budget-world-process.ts";
import { openPlace, type Place } from "./place.ts";
import { end, start } from "./processes.ts";
import { seeded } from "./seeded.ts";

export interface BudgetTrialOptions {
  readonly place: Place;
  /** Processes that drive runs, and processes that only decide, so many lanes in each. */
  readonly workers: number;
  readonly deciders: number;
  readonly lanes: number;
  readonly kills: number;
  /** How many answers get lost on their way, of those that are charged; 0 to 1. */
  readonly faultShare: number;
  readonly capUsd: number;
  readonly seed: number;
  readonly leaseMs: number;
}

export interface BudgetTrial {
  readonly takings: Takings;
  /** What deciders have spent, nano-dollars. */
  readonly decided: number;
  /** The most that was asked for and refused, US dollars. */
  readonly largestRefused: number;
  readonly refusals: number;
  readonly kills: number;
  readonly codes: readonly (number | null)[];
  readonly seconds: number;
}

interface Spender {
  readonly child: ChildProcess;
  readonly file: string;
  readonly number: number;
  isIdle: boolean;
}

export async function runBudgetTrial(options: BudgetTrialOptions): Promise<BudgetTrial> {
  const startedAt = performance.now();
  const world = start("budget-world-process.ts", [String(options.seed), String(options.faultShare)]);
  const over = Promise.withResolvers<void>();
  const [word]: BudgetWorldWord[] = await once(world, "message");
  const { provider = "", till = "" } = word ?? {};
  const crew = createSpenders(options, { provider, till }, over);
  try {
    crew.begin();
    await over.promise;
    await nothingRunning(options.place);
    const codes = await crew.finish();
    const { decided, largestRefused, refusals, kills } = crew.heard;
    const takings = await takingsOf(world);
    return { takings, decided, largestRefused, refusals, kills, codes, seconds: (performance.now() - startedAt) / 1_000 };
  } finally {
    await Promise.all([crew.stop(), end(world)]);
  }
}

/** Runs that died between two calls hold nothing; whoever takes them up may still spend a little. */
async function nothingRunning(place: Place) {
  const store = openPlace(place, "reader");
  try {
    while (((await store.journal.find?.({ phase: "running", limit: 1 })) ?? []).length > 0) await setTimeout(20);
  } finally {
    await store.close?.();
  }
}

function takingsOf(world: ChildProcess): Promise<Takings> {
  return new Promise((resolve) => {
    world.on("message", ({ takings }: BudgetWorldWord) => takings && resolve(takings));
    world.send("takings");
  });
}

/** Whoever is killed is started again; `over` when all are idle at the same time and enough have died. */
function createSpenders(options: BudgetTrialOptions, spending: Spending, over: PromiseWithResolvers<void>) {
  const { place, workers, deciders, lanes, capUsd, seed, leaseMs } = options;
  const chance = seeded(seed + 1);
  const hands = new Set<Spender>();
  const heard = { decided: 0, largestRefused: 0, refusals: 0, kills: 0, ended: 0 };
  let lives = 0;
  let isEnding = false;

  const hear = (hand: Spender, { ended, refused, spent = 0, idle }: SpenderWord) => {
    heard.decided += spent;
    if (refused !== undefined) {
      heard.refusals += 1;
      heard.largestRefused = Math.max(heard.largestRefused, refused);
    }
    if (idle) hand.isIdle = true;
    if (ended !== undefined) heard.ended += 1;
    if (heard.kills < options.kills && (ended ?? refused) !== undefined && chance() < killShare(options)) kill();
    if ([...hands].every(({ isIdle }) => isIdle)) over.resolve();
  };
  const kill = () => {
    const busy = [...hands].filter(({ isIdle }) => !isIdle);
    const hand = busy[Math.floor(chance() * busy.length)];
    if (!hand) return;
    heard.kills += 1;
    hand.child.kill("SIGKILL");
  };
  const launch = (file: string, number: number) => {
    const hand: Spender = { child: start(file), file, number, isIdle: false };
    const life = ++lives;
    hands.add(hand);
    hand.child.on("message", (word) => hear(hand, Object(word)));
    hand.child.once("exit", (code, signal) => {
      if (isEnding) return;
      hands.delete(hand);
      if (signal === "SIGKILL") launch(file, number);
      else over.reject(new Error(`${file} ended by itself with code ${code}.`));
    });
    const task: SpendingTask = { place, spending, capUsd, worker: `w${life}`, lanes, seed: seed * 1_000 + life, leaseMs };
    hand.child.send({ task });
  };
  return {
    heard,
    begin: () => {
      for (let number = 0; number < workers; number++) launch("budget-worker-process.ts", number);
      for (let number = 0; number < deciders; number++) launch("budget-decider-process.ts", number);
    },
    finish: () => {
      isEnding = true;
      return Promise.all(
        [...hands].map(async ({ child }) => {
          const gone = once(child, "exit");
          child.send({});
          const [code]: (number | null)[] = await gone;
          return code ?? null;
        }),
      );
    },
    stop: async () => {
      isEnding = true;
      await Promise.all([...hands].map(({ child }) => end(child)));
    },
  };
}

/** Spread over the runs that the money is likely to last for. */
const killShare = ({ kills, capUsd }: BudgetTrialOptions) => kills / (capUsd * 150);
