// What the shop had before it had an agent: three plain functions (and a list for colleagues), as unreliable as the services behind them.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
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

// The shop's books live in memory, unless they are kept: data.json is only what a demo starts with.
export const refunds: Refund[] = [];
export const refundQueue: Pick<Refund, "orderId" | "amountEur">[] = [];
export const outbox: Mail[] = [...data.outbox];

interface BookLine {
  readonly refund?: Refund;
  readonly queued?: Pick<Refund, "orderId" | "amountEur">;
  readonly mail?: Mail;
}

let bookFile: string | undefined;

/** From here on the books are a file of JSON lines: what was paid stays paid when this process dies, as with a real payment service. */
export function keepBooks(file: string): void {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  for (const line of lines) enter(JSON.parse(line));
  bookFile = file;
}

function enter(line: BookLine): void {
  if (line.refund) refunds.push(line.refund);
  if (line.queued) refundQueue.push(line.queued);
  if (line.mail) outbox.push(line.mail);
  if (bookFile !== undefined) appendFileSync(bookFile, `${JSON.stringify(line)}\n`);
}

/** Flaky: the first connection to the order database is refused. */
export async function findOrder(id: string): Promise<Order | undefined> {
  await service("orders");
  const order = data.orders.find((one) => one.id === id);
  const customer = data.customers.find((one) => one.id === order?.customerId);
  if (!order || !customer) return undefined;
  const { item, paidEur } = order;
  const isPaidBack = [...refunds, ...refundQueue].some((one) => one.orderId === id);
  return { id, item, paidEur, status: isPaidBack ? "paid back, or about to be" : order.status, customer };
}

/** Flaky in the worst way: the first refund is booked, but the connection breaks before the answer. The same key never books twice. */
export async function refundOrder(orderId: string, amountEur: number, { idempotencyKey }: { idempotencyKey: string }): Promise<Refund> {
  const booked = refunds.find((one) => one.idempotencyKey === idempotencyKey);
  if (booked) return booked;
  const order = data.orders.find(({ id }) => id === orderId);
  if (order?.paidBy === "voucher") throw new Error("The voucher service is down for maintenance.");
  if (amountEur > (order?.paidEur ?? 0) || refunds.some((one) => one.orderId === orderId)) throw new Error("That was never paid.");
  const refund = { orderId, amountEur, idempotencyKey };
  enter({ refund });
  await service("payments");
  return refund;
}

/** A colleague pays it out by hand; an order that is queued already is not queued again. */
export function queueRefund(orderId: string, amountEur: number): string {
  if (!refundQueue.some((one) => one.orderId === orderId)) enter({ queued: { orderId, amountEur } });
  return "Queued: a colleague pays it out within two working days.";
}

export async function sendMail(to: string, subject: string, body: string): Promise<void> {
  await service("mail");
  enter({ mail: { to, subject, body } });
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
