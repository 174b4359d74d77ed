// What the tools of the scenarios do to a world that counts: each act is one line of it. Invariant: the same calls make the same lines.
import { tool } from "airworthy";
import { z } from "zod";

/** What the tools of a scenario really did: one line per performed attempt, with its idempotency key where it is an act. */
export interface World {
  readonly acts: string[];
  modelCalls: number;
  /** How often it was asked whether a parcel was sent. */
  lookUps: number;
}

export const newWorld = (): World => ({ acts: [], modelCalls: 0, lookUps: 0 });

const id = z.object({ id: z.string() });

export const toolsOf = (world: World) => ({
  find: tool({
    description: "Finds an order.",
    inputSchema: id,
    effect: "read",
    execute: (order) => {
      world.acts.push(`find ${order.id}`);
      return { ...order, state: "late" };
    },
  }),
  flaky: tool({
    description: "Works the second time.",
    inputSchema: id,
    effect: "read",
    execute: (order, { attempt }) => {
      world.acts.push(`flaky ${order.id}`);
      if (attempt === 1) throw new Error("secret reason");
      return "there";
    },
  }),
  refund: tool({
    description: "Pays money back.",
    inputSchema: id,
    effect: "pay",
    repeat: "with-same-key",
    execute: (order, { idempotencyKey }) => {
      world.acts.push(`refund ${order.id} ${idempotencyKey}`);
      return "refunded";
    },
  }),
  mail: tool({
    description: "Sends a mail.",
    inputSchema: id,
    effect: "send",
    execute: (order, { idempotencyKey }) => {
      world.acts.push(`mail ${order.id} ${idempotencyKey}`);
      return "sent";
    },
  }),
  broken: tool({
    description: "Never works; somebody else does.",
    inputSchema: id,
    effect: "write",
    fallback: (order) => `queued ${order.id}`,
    execute: () => {
      throw new Error("The warehouse is closed.");
    },
  }),
  parcel: tool({
    description: "Sends a parcel, and loses the connection before it hears of it.",
    inputSchema: id,
    effect: "send",
    execute: (order) => {
      world.acts.push(`parcel ${order.id}`);
      throw new TypeError("fetch failed", { cause: Object.assign(new Error("reset"), { code: "ECONNRESET" }) });
    },
    reconcile: () => {
      world.lookUps += 1;
      return world.lookUps === 1 ? { status: "unknown" } : { status: "done", output: "sent after all" };
    },
  }),
  archive: tool({
    description: "Hands out more than anybody can read.",
    inputSchema: id,
    effect: "read",
    execute: (order) => {
      world.acts.push(`archive ${order.id}`);
      return { pages: "äöü 🛰️ ".repeat(8_000) };
    },
  }),
});
