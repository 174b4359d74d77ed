// One trial: workers in processes of their own, killed at random and started again, until every run has ended. Invariant: no process that
// was started here is left when it is over.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createLedger, type Ledger } from "./ledger.ts";
import type { Place } from "./place.ts";
import { end, start } from "./processes.ts";
import { seeded } from "./seeded.ts";
import { stepsOfRun } from "./six-steps.ts";
import type { WorkerOrder } from "./worker-process.ts";
import type { AskedAct, WorldWord } from "./world-process.ts";

export interface TrialOptions {
  readonly place: Place;
  readonly workers: number;
  readonly runs: number;
  readonly kills: number;
  readonly seed: number;
  readonly leaseMs: number;
  /** Told how far it has come. */
  readonly tell?: (open: number, kills: number) => void;
}

export interface Trial {
  readonly runs: readonly string[];
  readonly acts: readonly AskedAct[];
  readonly ledger: Ledger;
  readonly kills: number;
  /** Exit codes of the workers that were asked to end. */
  readonly codes: readonly (number | null)[];
  readonly seconds: number;
}

export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { seed, leaseMs, kills, tell = () => {} } = options;
  const chance = seeded(seed);
  const runs = Array.from({ length: options.runs }, (_, number) => `run-${number + 1}`);
  const over = Promise.withResolvers<void>();
  const crew = createCrew(options, over.reject);
  const ledger = createLedger(runs, (runId) => crew.resume(runId, chance()));
  const moments = momentsOf(options, chance);
  const world = start("world-process.ts", [String(seed), String(leaseMs * 3)]);
  const startedAt = performance.now();

  const heard = (mailing?: string) => {
    tell(ledger.open.size, crew.kills);
    if (ledger.open.size === 0) return over.resolve();
    if (crew.kills >= kills || ledger.arrived < (moments[crew.kills] ?? 0)) return;
    // Every other one in the act, the rest whenever it may be.
    if (crew.kills % 2 === 0) crew.kill((worker) => worker === mailing, 0);
    else if (chance() < 0.1) crew.kill(() => true, chance());
  };
  world.on("message", (word: WorldWord) => {
    ledger.hearWorld(word);
    heard(word.arrived?.act === "mail" ? word.arrived.worker : undefined);
  });
  try {
    const [word]: WorldWord[] = await once(world, "message");
    crew.begin(word?.url ?? "", ledger, heard);
    await over.promise;
    const codes = await crew.end();
    const acts = await actsOf(world);
    return { runs, acts, ledger, kills: crew.kills, codes, seconds: (performance.now() - startedAt) / 1_000 };
  } finally {
    await Promise.all([crew.stop(), end(world)]);
  }
}

/** After how many acts somebody is killed: spread over the time in which there is something to do. */
function momentsOf({ runs, kills }: TrialOptions, chance: () => number): readonly number[] {
  const acts = runs * (stepsOfRun.reads + stepsOfRun.pays + stepsOfRun.mails);
  return Array.from({ length: kills }, () => 1 + Math.floor(chance() * acts * 0.8)).toSorted((one, other) => one - other);
}

/** Every act that has arrived. Other words may come at the same moment, so it listens until it is answered. */
function actsOf(world: ChildProcess): Promise<readonly AskedAct[]> {
  return new Promise((resolve) => {
    world.on("message", ({ acts }: WorldWord) => acts && resolve(acts));
    world.send("acts");
  });
}

interface Hand {
  readonly child: ChildProcess;
  readonly worker: string;
  readonly number: number;
  /** `working` since it has said something. */
  state: "starting" | "working" | "dying";
}

/** The workers: whoever is killed is started again, with the runs that nobody has heard the end of. `failed` hears of one that ends by itself. */
function createCrew(options: TrialOptions, failed: (error: Error) => void) {
  const hands = new Set<Hand>();
  const lives = new Map<number, number>();
  let kills = 0;
  let ending = false;
  let launch: (number: number) => void = () => {};

  const one = (draw: number, which: (worker: string) => boolean = () => true) => {
    const working = [...hands].filter(({ state, worker }) => state === "working" && which(worker));
    return working[Math.floor(draw * working.length)];
  };
  const send = (hand: Hand, order: WorkerOrder) => hand.child.connected && hand.child.send(order);

  return {
    get kills() {
      return kills;
    },
    begin: (world: string, ledger: Ledger, heard: () => void) => {
      launch = (number) => {
        const life = (lives.get(number) ?? 0) + 1;
        lives.set(number, life);
        const worker = `worker ${number}.${life}`;
        const hand: Hand = { child: start("worker-process.ts"), worker, number, state: "starting" };
        hands.add(hand);
        hand.child.on("message", (word) => {
          if (hand.state === "starting") hand.state = "working";
          ledger.hearWorker(Object(word));
          heard();
        });
        hand.child.once("exit", (code, signal) => {
          hands.delete(hand);
          ledger.died(worker);
          if (ending) return;
          if (signal === "SIGKILL") launch(number);
          else failed(new Error(`${worker} ended by itself with code ${code}.`));
        });
        const { place, leaseMs, seed } = options;
        send(hand, { task: { place, world, worker, leaseMs, seed: seed + number * 1_000 + life, runs: [...ledger.open] } });
      };
      for (let number = 1; number <= options.workers; number++) launch(number);
    },
    kill: (which: (worker: string) => boolean, draw: number) => {
      const hand = one(draw, which);
      if (!hand) return;
      kills += 1;
      hand.state = "dying";
      hand.child.kill("SIGKILL");
    },
    resume: (runId: string, draw: number) => {
      const hand = one(draw);
      if (hand) send(hand, { resume: runId });
      return hand?.worker;
    },
    /** Asks all that are left to end by themselves. */
    end: async () => {
      ending = true;
      const asked = [...hands].filter(({ state }) => state === "working");
      return Promise.all(
        asked.map(async (hand) => {
          const gone = once(hand.child, "exit");
          send(hand, { end: true });
          const [code]: (number | null)[] = await gone;
          return code ?? null;
        }),
      );
    },
    stop: async () => {
      ending = true;
      await Promise.all([...hands].map(({ child }) => end(child)));
    },
  };
}
