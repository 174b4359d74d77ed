// The slices a process has of one key. Invariant: there is nothing to wait for between a look at what is free and taking it; one slice at a
// time is asked for, and each is settled once, when nothing in it is open.
import type { Clock } from "../../core/clock.ts";
import type { KeyHold } from "../../core/holds.ts";
import type { CounterState, Counters, Refused } from "../../core/store.ts";
import { freeOf, isUsedUp, putBack, type Share, type Slice, type SliceTerms, suits, takeOut } from "./slice.ts";

export interface PoolParts {
  readonly key: string;
  readonly counters: Counters;
  readonly terms: SliceTerms;
  readonly clock: Clock;
  readonly newId: () => string;
  /** There is nothing in it any more. */
  readonly onEmpty: () => void;
}

/** So often is a slice looked at in its time. */
const looks = 4;

export class SlicePool {
  readonly #parts: PoolParts;
  readonly #slices: Slice[] = [];
  readonly #timers = new Map<Slice, () => void>();
  readonly #returning = new Map<Slice, Promise<void>>();
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #seen: CounterState = { used: 0, held: 0 };
  #run: string | undefined;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  get run(): string | undefined {
    return this.#run;
  }

  /** The store's own number less what is free here. Lags behind what other processes do. */
  get standing(): CounterState {
    return this.#lessFree(this.#seen);
  }

  isSlice(id: string): boolean {
    return this.#slices.some((slice) => slice.id === id);
  }

  /** At once, or not at all. */
  take({ amount, limit, also }: KeyHold): readonly Share[] | undefined {
    const now = this.#parts.clock.now();
    for (const slice of this.#slices) if (!slice.isRetired && (now >= slice.leaseEnd || !suits(slice, limit, also))) this.#retire(slice);
    const isOpen = this.#slices.some(({ isRetired }) => !isRetired);
    return isOpen && freeOf(this.#slices) >= amount ? takeOut(this.#slices, amount) : undefined;
  }

  /** From what is here and what the store still gives. One after the other: nobody takes a new slice away from who asked for it. */
  acquire(hold: KeyHold): Promise<readonly Share[] | Refused> {
    this.#waiting += 1;
    const mine = this.#turn.then(() => this.take(hold) ?? this.#lend(hold));
    this.#turn = mine.then(
      () => this.#left(),
      () => this.#left(),
    );
    return mine;
  }

  /** Answers what there was nobody to tell: used, where nothing was held. */
  give(shares: readonly Share[], used: number): number {
    putBack(shares, used);
    const newest = this.#slices.findLast((slice) => !this.#returning.has(slice));
    if (shares.length === 0 && newest) newest.used += used;
    for (const slice of [...shares.map((share) => share.slice), ...(newest ? [newest] : [])]) {
      if (isUsedUp(slice) && slice.open === 0) this.#retire(slice);
      else if (slice.isRetired) this.#giveBack(slice);
    }
    return shares.length === 0 && !newest ? used : 0;
  }

  /** What is still open counts as used, and nothing corrects it any more. */
  async close(): Promise<void> {
    await this.#turn;
    for (const slice of this.#slices) {
      if (this.#returning.has(slice)) continue;
      slice.used += slice.held;
      slice.held = 0;
      slice.open = 0;
      this.#retire(slice);
    }
    await Promise.all(this.#returning.values());
  }

  /** The store has forgotten the key: there is nothing to settle. */
  drop(): void {
    for (const cancel of this.#timers.values()) cancel();
    for (const slice of this.#slices) slice.isRetired = true;
    this.#timers.clear();
    this.#slices.length = 0;
  }

  #lessFree({ used, held }: CounterState): CounterState {
    return { used, held: Math.max(0, held - Math.max(0, freeOf(this.#slices))) };
  }

  async #lend(hold: KeyHold): Promise<readonly Share[] | Refused> {
    const free = freeOf(this.#slices);
    // Nobody else is to take it meanwhile: then what is asked for is enough, whatever becomes of the rest.
    const early = takeOut(this.#slices, Math.max(0, Math.min(free, hold.amount)));
    try {
      const slice = await this.#ask(hold, hold.amount - free);
      if (!("granted" in slice)) {
        this.#slices.push(slice);
        this.#lookLater(slice);
        return [...early, ...takeOut([slice], hold.amount - sum(early))];
      }
      this.give(early, 0);
      return { ...slice, ...this.#lessFree(slice) };
    } catch (thrown) {
      this.give(early, 0);
      throw thrown;
    }
  }

  /** A whole slice, or where that is too much exactly what is needed. */
  async #ask(hold: KeyHold, needed: number): Promise<Slice | Refused> {
    const whole = Math.max(this.#parts.terms.amount, needed);
    const slice = await this.#reserve(hold, whole);
    if (!("granted" in slice) || (whole === needed && this.#returning.size === 0)) return slice;
    await Promise.all(this.#returning.values());
    return this.#reserve(hold, needed);
  }

  async #reserve({ key, limit, also, until, run }: KeyHold, amount: number): Promise<Slice | Refused> {
    const { counters, clock, terms, newId } = this.#parts;
    const id = newId();
    const leaseEnd = clock.now() + terms.forMs;
    const asked = { key, amount, limit, also, ...(until !== undefined && { until }), ...(run !== undefined && { run }) };
    const answer = await counters.reserve(id, [asked], terms.forMs).catch((thrown: unknown) => {
      // It may be held all the same. If this cannot be told either, it runs out.
      counters.settle(id, {}).catch(() => {});
      throw thrown;
    });
    if (!answer.granted) return answer;
    const slice = { id, amount, limit, also, leaseEnd, used: 0, held: 0, open: 0, isRetired: false, isQuiet: false };
    this.#seen = answer.standing[key] ?? this.#seen;
    this.#run = run ?? this.#run;
    return slice;
  }

  /** A few times while it lasts: what nobody has asked for since the last look goes back, the rest at the end. */
  #lookLater(slice: Slice): void {
    const { clock, terms } = this.#parts;
    const look = () => {
      if (slice.isRetired || slice.isQuiet || clock.now() >= slice.leaseEnd) return this.#retire(slice);
      slice.isQuiet = true;
      this.#lookLater(slice);
    };
    this.#timers.set(slice, clock.after(terms.forMs / looks, look));
  }

  #retire(slice: Slice): void {
    slice.isRetired = true;
    this.#timers.get(slice)?.();
    this.#timers.delete(slice);
    this.#giveBack(slice);
  }

  /** What open shares come to stays held; if its time runs out meanwhile the store counts all of it as used, until this corrects it. */
  #giveBack(slice: Slice): void {
    if (slice.open > 0 || this.#returning.has(slice) || !this.#slices.includes(slice)) return;
    const { counters, key } = this.#parts;
    const told = counters.settle(slice.id, { [key]: slice.used }).then(
      () => {
        this.#slices.splice(this.#slices.indexOf(slice), 1);
      },
      () => {
        if (this.#slices.includes(slice)) this.#lookLater(slice);
      },
    );
    this.#returning.set(
      slice,
      told.then(() => {
        this.#returning.delete(slice);
        this.#emptied();
      }),
    );
  }

  #left(): void {
    this.#waiting -= 1;
    this.#emptied();
  }

  #emptied(): void {
    if (this.#slices.length === 0 && this.#waiting === 0) this.#parts.onEmpty();
  }
}

const sum = (shares: readonly Share[]) => shares.reduce((all, { amount }) => all + amount, 0);
