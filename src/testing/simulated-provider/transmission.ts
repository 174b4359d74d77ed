// What goes over the socket for one request, as data. Invariant: what to send is decided before any of it is sent.

/** Without `status` no head is sent and so no body either. `destroy` kills the socket, `hang` waits for the client to leave. */
export interface Transmission {
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
  /** Before every piece after the first. */
  readonly delayMs: number;
  /** After the pieces, until the client leaves. */
  readonly signsOfLife?: SignsOfLife;
  readonly ending: "end" | "destroy" | "hang";
}

export interface SignsOfLife {
  readonly intervalMs: number;
  /** `turn` counts from 0. */
  readonly piece: (turn: number) => string;
}

export const json = "application/json";
export const eventStream = "text/event-stream";

export const sent = (
  status: number,
  type: string,
  pieces: readonly string[],
  headers: Readonly<Record<string, string>> = {},
): Transmission => ({ status, headers: { "content-type": type, ...headers }, pieces, delayMs: 0, ending: "end" });

/** An HTTP error of the simulation itself: a scenario that has run out, a request it does not understand. */
export function complaint(status: number, message: string): Transmission {
  const error = { message, type: "simulation_error", param: null, code: null };
  return sent(status, json, [JSON.stringify({ type: "error", error })]);
}

export const html = (title: string) => `<!doctype html><html><head><title>${title}</title></head><body>${title}</body></html>`;

export const silence = { headers: {}, pieces: [], delayMs: 0 };
