// What the simulated provider answers: a model small enough to read, with the bad manners of real ones. --live puts a real model here.
import type { SimulatedReply, SimulatedRequest, SimulatedTurn } from "airworthy/testing";
import type { Order } from "./shop.ts";

/** For the `rules` of simulatedProvider: the next reply, decided by the conversation so far. */
export function nextReply({ index, conversation }: SimulatedRequest): SimulatedReply {
  if (index === 0) return { fault: "rate-limit", retryAfterMs: "150" };
  return conversation.at(-1)?.text.startsWith("There is no budget left") ? outOfBudget(conversation) : replyTo(conversation);
}

function replyTo(conversation: Conversation): SimulatedReply {
  const question = conversation.findLast(({ role }) => role === "user")?.text ?? "";
  const orderId = /order\D{0,3}(\d+)/i.exec(question)?.[1] ?? /\d{4,}/.exec(question)?.[0];
  if (!orderId) return say("Gladly. Which order is it about? Please send me its number.");
  const last = resultsIn(conversation).at(-1);
  const result = last?.text;
  switch (last?.tool) {
    case undefined:
      // A trailing comma is no JSON. It costs nothing here: findOrder is a read, so the runtime repairs its arguments.
      return { text: `I look up order ${orderId}.`, calls: [{ name: "findOrder", arguments: `{"id": "${orderId}",}` }] };
    case "findOrder":
      return afterLookUp(orderId, question, result);
    case "refundOrder":
      return afterRefund(conversation, result);
    default:
      return say(
        result === "Sent."
          ? `${outcomeIn(conversation)} You have it in writing, too.`
          : `${outcomeIn(conversation)} The mail did not go out.`,
      );
  }
}

/** What is known is told, and what is not done is said. */
function outOfBudget(conversation: Conversation): SimulatedReply {
  const looked = resultsIn(conversation).find(({ tool, text }) => tool === "findOrder" && text.startsWith("{"));
  const refunded = resultsIn(conversation).some(({ tool, text }) => tool === "refundOrder" && !isError(text));
  if (!looked) return say("I could not look up your order in time. Nothing was refunded.");
  const { id, status } = orderIn(conversation);
  const done = refunded
    ? `${outcomeIn(conversation)} I could not write to you about it.`
    : "I could not refund it yet; a colleague will go on from here.";
  return say(`Order ${id}: ${status}. ${done}`);
}

function afterLookUp(orderId: string, question: string, result = ""): SimulatedReply {
  if (isError(result)) return say(`I cannot look up order ${orderId} at the moment. Please try again in a few minutes.`);
  if (!result.startsWith("{")) return say(`I find no order ${orderId}. Please check the number; nothing was refunded.`);
  const { status }: Order = JSON.parse(result);
  if (!/refund|money back/i.test(question) || !status.startsWith("delivered")) return say(`Order ${orderId}: ${status}.`);
  // Cut off in the middle. The runtime never guesses at the arguments of a payment: it says what is wrong, and is called again.
  return { text: "I pay it back.", calls: [{ name: "refundOrder", arguments: `{"orderId": "${orderId}", "amountEu` }] };
}

function afterRefund(conversation: Conversation, result = ""): SimulatedReply {
  const { id, customer, paidEur } = orderIn(conversation);
  if (result.includes("tool_input_invalid")) return { calls: [{ name: "refundOrder", arguments: { orderId: id, amountEur: paidEur } }] };
  if (isError(result)) return say(`I could not refund order ${id}. A colleague will look into it.`);
  const mail = { to: customer.email, subject: `Your refund for order ${id}`, body: `Dear ${customer.name}, ${outcomeIn(conversation)}` };
  return { text: `I write to ${customer.name}.`, calls: [{ name: "sendMail", arguments: mail }] };
}

/** Says what the fallback of the refund means for the customer, as the runtime marks it for the model. */
function outcomeIn(conversation: Conversation): string {
  const { id, item, paidEur } = orderIn(conversation);
  const queued = resultsIn(conversation).some(({ tool, text }) => tool === "refundOrder" && text.includes("[degraded"));
  const amount = `${paidEur.toFixed(2)} EUR for the ${item} of order ${id}`;
  return queued ? `A colleague will pay back ${amount} within two working days.` : `We have paid back ${amount}.`;
}

type Conversation = readonly SimulatedTurn[];

const resultsIn = (conversation: Conversation) => conversation.filter(({ role }) => role === "tool");

const orderIn = (conversation: Conversation): Order =>
  JSON.parse(resultsIn(conversation).find(({ tool }) => tool === "findOrder")?.text ?? "");
const isError = (result: string) => result.startsWith('{"error"');

/** A last word, slow enough to watch it come. */
const say = (text: string): SimulatedReply => ({ fault: "slow-tokens", delayMs: 25, text, chunkSize: 12 });
