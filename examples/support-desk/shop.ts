// What the shop had before it had an agent: three plain functions (and a list for colleagues), as unreliable as the services behind them.
import { setTimeout as pause } from "node:timers/promises";
import data from "./data.json" with { type: "json" };

export interface Order {
  readonly id: string;
  readonly item: string;
  readonly paidEur: number;
  readonly status: string;
  readonly customer: { readonly name: string; readonly email: string };
}

export interface Refund {
  readonly orderId: string;
  readonly amountEur: number;
  readonly idempotencyKey: string;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly body: string;
}

// The shop's books live in memory: data.json is only what a demo starts with.
export const refunds: Refund[] = [];
export const refundQueue: Pick<Refund, "orderId" | "amountEur">[] = [];
export const outbox: Mail[] = [...data.outbox];

/** Flaky: the first connection to the order database is refused. */
export async function findOrder(id: string): Promise<Order | undefined> {
  await service("orders");
  const order = data.orders.find((one) => one.id === id);
  const customer = data.customers.find((one) => one.id === order?.customerId);
  return order && customer && { id, item: order.item, paidEur: order.paidEur, status: order.status, customer };
}

/** Flaky in the worst way: the first refund is booked, but the connection breaks before the answer. The same key never books twice. */
export async function refundOrder(orderId: string, amountEur: number, { idempotencyKey }: { idempotencyKey: string }): Promise<Refund> {
  const booked = refunds.find((one) => one.idempotencyKey === idempotencyKey);
  if (booked) return booked;
  const order = data.orders.find(({ id }) => id === orderId);
  if (order?.paidBy === "voucher") throw new Error("The voucher service is down for maintenance.");
  if (amountEur > (order?.paidEur ?? 0) || refunds.some((one) => one.orderId === orderId)) throw new Error("That was never paid.");
  const refund = { orderId, amountEur, idempotencyKey };
  refunds.push(refund);
  await service("payments");
  return refund;
}

/** A colleague pays it out by hand. */
export function queueRefund(orderId: string, amountEur: number): string {
  refundQueue.push({ orderId, amountEur });
  return "Queued: a colleague pays it out within two working days.";
}

export async function sendMail(to: string, subject: string, body: string): Promise<void> {
  await service("mail");
  outbox.push({ to, subject, body });
}

const troubles = new Map([
  ["orders", "ECONNREFUSED"],
  ["payments", "ECONNRESET"],
]);

/** Stands for a request to another machine: it takes a while, and fails once where there is trouble. */
async function service(name: string): Promise<void> {
  await pause(15);
  const code = troubles.get(name);
  troubles.delete(name);
  if (code) throw Object.assign(new Error(`The connection to ${name}.internal failed.`), { code });
}
