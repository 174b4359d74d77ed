// The clock of the stores of this process: time, and waiting. Invariant: nothing it says gets into an entry; a pass that replays never asks it.

/** The machine's time in ms since the epoch: what leases and holds run out by, where the store has no clock of its own. */
export const storeClock = (): number => Date.now();

/** Resolves when about so much time has passed. Real time: what is waited for are other processes. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
