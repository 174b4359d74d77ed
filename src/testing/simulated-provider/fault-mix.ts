// Faults dealt out at random, the same every time. Invariant: what request number i gets depends on the seed and on i, on nothing else.
import { AgentError } from "../../core/errors.ts";
import type { SimulatedFault, SimulatedReply } from "./reply.ts";
import type { SimulatedRequest } from "./simulated-provider.ts";

export interface FaultMixOptions {
  /** A whole number. The same seed deals the same faults to the same positions. */
  readonly seed: number;
  /** How much of the requests goes wrong, from 0 to 1. */
  readonly share: number;
  /** What goes wrong, each as often as the others. Default `passingFaults`. */
  readonly faults?: readonly SimulatedFault[];
  /** What is answered when nothing goes wrong. A fault that happens on the way happens to this answer. */
  readonly reply: SimulatedReply | ((request: SimulatedRequest) => SimulatedReply | Promise<SimulatedReply>);
}

/**
 * What a client survives by trying again, before it has shown any text: refusals that pass, errors of servers, broken connections, answers
 * that are none. Nothing here lasts longer than it takes to send; `stall`, `hang` and their like need a time-out and are yours to add.
 */
export const passingFaults: readonly SimulatedFault[] = [
  { fault: "rate-limit", retryAfterMs: "1" },
  { fault: "server-error" },
  { fault: "bad-gateway-html" },
  { fault: "unavailable" },
  { fault: "overloaded" },
  { fault: "html-200" },
  { fault: "empty-200" },
  { fault: "error-200" },
  { fault: "reset" },
  { fault: "cut", afterChunks: 1 },
  { fault: "half-event", afterChunks: 1 },
  { fault: "garbled" },
  { fault: "reset-mid-body", afterChunks: 1 },
  { fault: "error-mid-body", afterChunks: 1 },
  { fault: "error-mid-body", afterChunks: 1, error: "overloaded" },
  { fault: "empty-choices" },
];

/**
 * For the `rules` of a provider: a seeded random mix of faults and good answers. `index` of a request is the order of arrival, so with
 * requests that are made at the same time the positions of the faults stay and who gets them may change.
 *
 *     simulatedProvider({ rules: faultMix({ seed: 1, share: 0.3, reply: { text: "Hello" } }) })
 */
export function faultMix({
  seed,
  share,
  faults = passingFaults,
  reply,
}: FaultMixOptions): (request: SimulatedRequest) => Promise<SimulatedReply> {
  const wrong =
    (!Number.isSafeInteger(seed) && "`seed` has to be a whole number") ||
    (!(share >= 0 && share <= 1) && "`share` has to be a number from 0 to 1") ||
    (faults.length === 0 && "`faults` has to name one at least");
  if (wrong) throw new AgentError("configuration_invalid", `faultMix(): ${wrong}.`);
  return async (request) => {
    const usual = typeof reply === "function" ? await reply(request) : reply;
    const [chance, choice] = drawsAt(seed, request.index);
    const fault = chance < share ? faults[Math.floor(choice * faults.length)] : undefined;
    return fault ? { ...usual, ...fault } : usual;
  };
}

/** Two numbers from 0 up to 1 for a position. */
function drawsAt(seed: number, index: number): readonly [number, number] {
  const state = scrambled(scrambled(seed) ^ index);
  return [state / 2 ** 32, scrambled(state ^ 0x9e3779b9) / 2 ** 32];
}

/** A whole number from 0 up to 2^32 in which every bit of `value` counts. */
function scrambled(value: number): number {
  let bits = (value + 0x6d2b79f5) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
