// The sockets of the simulated provider: reads a request, plays a transmission. Invariant: it stops as soon as the client has left.
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { SimulatedBody } from "./request.ts";
import type { SignsOfLife, Transmission } from "./transmission.ts";

/** The body of the request; undefined when it is not a JSON object. */
export async function bodyOf(incoming: IncomingMessage): Promise<SimulatedBody | undefined> {
  const sent = await text(incoming);
  try {
    const value: unknown = JSON.parse(sent);
    return isBody(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isBody = (value: unknown): value is SimulatedBody => typeof value === "object" && value !== null && !Array.isArray(value);

/** Sends what is to be sent, piece by piece, and brings the answer to its end; a `hang` is left to the client to end. */
export async function transmit(transmission: Transmission, outgoing: ServerResponse): Promise<void> {
  const { status, headers, pieces, delayMs, signsOfLife, ending } = transmission;
  if (status !== undefined) outgoing.writeHead(status, headers).flushHeaders();
  for (const [position, piece] of pieces.entries()) {
    if (position > 0 && delayMs > 0) await pause(delayMs, outgoing);
    if (outgoing.destroyed) return;
    await written(piece, outgoing);
  }
  if (signsOfLife) await keepAlive(signsOfLife, outgoing);
  if (ending === "end") outgoing.end();
  if (ending === "destroy") outgoing.destroy();
}

async function keepAlive({ intervalMs, piece }: SignsOfLife, outgoing: ServerResponse): Promise<void> {
  for (let turn = 0; !outgoing.destroyed; turn++) {
    await written(piece(turn), outgoing);
    await pause(intervalMs, outgoing);
  }
}

// Waiting for each piece to leave keeps pieces apart on the wire, and a socket that is destroyed next has still sent them.
const written = (piece: string, outgoing: ServerResponse) => new Promise<void>((resolve) => outgoing.write(piece, () => resolve()));

/** Waits, but not for longer than the client does. */
function pause(ms: number, outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (outgoing.destroyed) return resolve();
    const finish = () => {
      clearTimeout(timer);
      outgoing.off("close", finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    outgoing.once("close", finish);
  });
}
