// The agent of the support desk: its instructions, tools and limits. Where it runs, which model it asks and what it keeps is said by who makes it.
import { type Agent, type AgentOptions, createAgent, type PolicyOptions } from "airworthy";
import { tools } from "./tools.ts";

type DeskOptions = Pick<AgentOptions, "model" | "store" | "use"> & Partial<Pick<AgentOptions, "tools">> & Pick<PolicyOptions, "budget">;

/** An agent is made once and checked as a whole: what is wrong in here throws before anything is spent. */
export const createDesk = ({ budget, ...given }: DeskOptions): Agent =>
  createAgent({
    name: "support-desk",
    version: "1",
    instructions: `You are the support desk of a small shop. Look an order up before you say anything about it. Refund what was
delivered late, damaged or wrong: what was paid, once. Then mail the customer. Say only what the tools told you, in two sentences.`,
    tools,
    policy: { limits: { turns: 12, toolCalls: 10 }, timeouts: { totalMs: 60_000 }, ...(budget ? { budget } : {}) },
    ...given,
  });
