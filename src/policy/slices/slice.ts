// What is taken out of slices and put back: sums, nothing to wait for. Invariant: what is open in a slice and what was used of it come out of
// what it holds in the store; what they come to beyond that is a debt, and nothing is given out against a debt.

/** How much of a key is held ahead, and for how long. */
export interface SliceTerms {
  /** Much more than one hold of the key, and no more than may be lost with a process. */
  readonly amount: number;
  /** New holds are served from a slice for so long. After it the store counts a slice that was not settled as used. */
  readonly forMs: number;
}

/** A hold in the store that smaller ones are served from. */
export interface Slice {
  readonly id: string;
  readonly amount: number;
  /** By which limit the store held it, and what it counted along. */
  readonly limit: number;
  readonly also: readonly string[];
  readonly leaseEnd: number;
  used: number;
  /** What open shares come to, and how many there are. */
  held: number;
  open: number;
  /** Nothing more is served from it: it goes back as soon as nothing in it is open. */
  isRetired: boolean;
  /** Nobody has asked for anything since the last look. */
  isQuiet: boolean;
}

/** What one hold has of one slice. */
export interface Share {
  readonly slice: Slice;
  readonly amount: number;
}

const left = ({ amount, used, held }: Slice): number => amount - used - held;

/** What can be given out now. Negative when more was used than was held: a debt that what comes next has to cover first. */
export const freeOf = (slices: readonly Slice[]): number =>
  slices.reduce((sum, slice) => sum + (slice.isRetired ? Math.min(0, left(slice)) : left(slice)), 0);

/** So much out of the oldest of them. Ask `freeOf` first. */
export function takeOut(slices: readonly Slice[], amount: number): readonly Share[] {
  const shares: Share[] = [];
  let wanted = amount;
  for (const slice of slices) {
    const share = slice.isRetired ? 0 : Math.min(wanted, left(slice));
    if (share <= 0) continue;
    slice.held += share;
    slice.open += 1;
    slice.isQuiet = false;
    shares.push({ slice, amount: share });
    wanted -= share;
  }
  return shares;
}

/** What was used in place of the shares of one hold; what is more than they were goes with the last of them. */
export function putBack(shares: readonly Share[], used: number): void {
  let rest = used;
  for (const [position, { slice, amount }] of shares.entries()) {
    const here = position === shares.length - 1 ? rest : Math.min(rest, amount);
    slice.held -= amount;
    slice.open -= 1;
    slice.used += here;
    rest -= here;
  }
}

export const isUsedUp = (slice: Slice): boolean => left(slice) <= 0;

/** A slice can serve a hold that asks for no tighter limit than its own, and counts nothing else along. */
export const suits = (slice: Slice, limit: number, also: readonly string[]): boolean =>
  slice.limit <= limit && also.every((key) => slice.also.includes(key));
