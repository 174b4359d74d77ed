// The shop's functions as tools: each gets a schema, so that the model can call it, and the facts the runtime needs to call it safely.
import { tool } from "airworthy";
import { z } from "zod";
import * as shop from "./shop.ts";

const refundInput = z.object({ orderId: z.string(), amountEur: z.number().positive() });

// Takes the tool's own input, and has a name: the run reports it by this name under `degraded`.
const queueRefund = ({ orderId, amountEur }: z.infer<typeof refundInput>) => shop.queueRefund(orderId, amountEur);

export const tools = {
  findOrder: tool({
    description: "Looks up an order by its number: item, price, status and customer.",
    inputSchema: z.object({ id: z.string() }),
    // A read changes nothing: it is retried when it throws, and small mistakes in the model's JSON are repaired.
    effect: "read",
    execute: async ({ id }) => (await shop.findOrder(id)) ?? `There is no order ${id}.`,
  }),

  refundOrder: tool({
    description: "Pays money back for an order, to where it was paid from.",
    inputSchema: refundInput,
    // An act: arguments are never guessed at. It may be repeated because the payment service knows the key of this call.
    effect: "pay",
    repeat: "with-same-key",
    // Used when the payment service still fails after the retries.
    fallback: queueRefund,
    execute: ({ orderId, amountEur }, { idempotencyKey }) => shop.refundOrder(orderId, amountEur, { idempotencyKey }),
  }),

  sendMail: tool({
    description: "Sends a mail to a customer. Use the address the order names, nothing else.",
    inputSchema: z.object({ to: z.email(), subject: z.string(), body: z.string() }),
    // Nobody can take a mail back, and no key makes it safe to send again: it is tried once. (`never` is the default of an act.)
    effect: "send",
    repeat: "never",
    execute: async ({ to, subject, body }) => {
      await shop.sendMail(to, subject, body);
      return "Sent.";
    },
  }),
};
