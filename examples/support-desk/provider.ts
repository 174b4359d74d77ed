// What the simulated provider answers: a model small enough to read, with the bad manners of real ones. --live puts a real model here.
import type { SimulatedBody, SimulatedReply, SimulatedRequest } from "airworthy/testing";
import type { Order } from "./shop.ts";

/** For the `rules` of simulatedProvider: the next reply, decided by the conversation so far. */
export function nextReply({ index, body }: SimulatedRequest): SimulatedReply {
  if (index === 0) return { fault: "rate-limit", retryAfterMs: "150" };
  const { question, called, result } = lookAt(body);
  const orderId = /\d{3,}/.exec(question)?.[0];
  if (!orderId) return say("Gladly. Which order is it about? Please send me its number.");
  switch (called) {
    case undefined:
      // A trailing comma is no JSON. It costs nothing: findOrder is a read, so the runtime repairs its arguments.
      return { text: `I look up order ${orderId}.`, calls: [{ name: "findOrder", arguments: `{"id": "${orderId}",}` }] };
    case "findOrder":
      return afterLookUp(orderId, question, result);
    case "refundOrder":
      return afterRefund(orderId, body, result);
    default:
      return say(`${result === "Sent." ? "Done" : "The mail did not go out, but the rest is done"}. ${outcomeIn(body)}`);
  }
}

function afterLookUp(orderId: string, question: string, result: string): SimulatedReply {
  if (isError(result)) return say(`I cannot look up order ${orderId} at the moment. Please try again in a few minutes.`);
  if (!result.startsWith("{")) return say(`I find no order ${orderId}. Please check the number; nothing was refunded.`);
  const { status }: Order = JSON.parse(result);
  if (!/refund|money back/i.test(question) || !status.startsWith("delivered")) return say(`Order ${orderId} is ${status}.`);
  // Cut off in the middle: the runtime never guesses at the arguments of a payment, but says what is wrong and is asked again.
  return { text: "I pay it back.", calls: [{ name: "refundOrder", arguments: `{"orderId": "${orderId}", "amountEu` }] };
}

function afterRefund(orderId: string, body: SimulatedBody, result: string): SimulatedReply {
  const { customer, item, paidEur } = orderIn(body);
  if (result.includes("tool_input_invalid")) return { calls: [{ name: "refundOrder", arguments: { orderId, amountEur: paidEur } }] };
  if (isError(result)) return say(`I could not refund order ${orderId}; a colleague will look into it.`);
  const mail = { to: customer.email, subject: `Your refund for order ${orderId}`, body: `Dear ${customer.name}, ${outcomeIn(body)}` };
  return { text: `I write to ${customer.name} about the ${item}.`, calls: [{ name: "sendMail", arguments: mail }] };
}
