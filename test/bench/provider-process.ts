// The simulated provider in a process of its own, so that it takes no time from those who are measured. Ends with whoever started it.
import { simulatedProvider } from "airworthy/testing";
import { answerText } from "./scripted-replies.ts";

/** How often a run asks for its tool. */
const turns = 2;

const provider = await simulatedProvider({
  rules: ({ body }) => {
    const turn = ((body.messages?.length ?? 1) - 1) / 2;
    return turn < turns ? { calls: [{ name: "add", arguments: { n: turn } }] } : { text: answerText };
  },
});
process.on("disconnect", () => process.exit());
process.send?.({ baseURL: provider.baseURL });
