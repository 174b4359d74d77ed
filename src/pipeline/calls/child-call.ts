// A call whose tool is an agent, as a step: every attempt of every pass asks for the same run, so nothing in it is done twice.
import { type ChildAgent, type ChildCall, childRunId } from "../../core/child.ts";
import { AgentError } from "../../core/errors.ts";
import { failed, type Outcome, stoppedBy } from "../../core/outcome.ts";
import type { ChildUsage } from "../../core/result.ts";
import type { Run } from "../../core/run.ts";
import type { Reconciled, Step, StepContext, Terms } from "../../core/step.ts";
import type { Tool, ToolResult } from "../../core/tool.ts";
import type { CallLimits } from "../../policy/limits.ts";
import type { AgentParts } from "../line.ts";
import { toolFailure } from "./tool-failure.ts";

/** What has been heard of the run by now. */
export interface Heard {
  used: ChildUsage | undefined;
}

interface ChildPlace {
  readonly run: Run;
  readonly agent: AgentParts;
  readonly key: string;
  readonly tool: Tool;
  readonly name: string;
  readonly child: ChildAgent;
  readonly limits: CallLimits;
  readonly inputs: () => unknown;
  readonly heard: Heard;
  /** Makes what the model reads of an output. */
  readonly accept: (output: unknown) => Outcome<ToolResult> | Promise<Outcome<ToolResult>>;
}

/** Longer than a step within may take after the signal, and less than the line has: a run within is to be closed before its call is left. */
const graceMs = 28;

/** No breaker: those of the agent's own models and tools do. */
export const childTerms: Partial<Terms> = { graceMs };

/** How such a step is performed, and looked up. */
export function childSteps(place: ChildPlace): Pick<Step<ToolResult>, "perform" | "reconcile"> {
  const { run, agent, key, child, limits } = place;
  const runId = childRunId(run.facts.id, run.path + key);
  const callIn = ({ signal, deadlineAt, parking, trace, ledger }: StepContext): ChildCall => ({
    runId,
    count: (taken) => limits.within(runId, taken),
    budgets: ledger.limitsWithin(),
    parent: run.facts,
    store: agent.store,
    signal,
    deadlineAt,
    parking,
    trace,
  });
  return {
    perform: async (context) => {
      const outcome = await ask(place, callIn(context));
      // The runs within keep the deadline, too, and may be the first to see that it is over: that says nothing about what was asked.
      const late = outcome.status === "failed" && context.clock.now() >= context.deadlineAt;
      return late ? stoppedBy(new AgentError("deadline_exceeded", "The run's time was up.")) : outcome;
    },
    reconcile: async (context): Promise<Reconciled<ToolResult>> => {
      const call = callIn(context);
      const standing = await child.standing(call);
      if (standing === "ended") return ask(place, call);
      return standing === "none" ? "not-done" : "unknown";
    },
  };
}

async function ask({ child, tool, name, inputs, heard, accept }: ChildPlace, call: ChildCall): Promise<Outcome<ToolResult>> {
  try {
    const { outcome, used } = await child.run(await inputs(), call);
    heard.used = used ?? heard.used;
    return outcome.status === "done" ? await accept(await child.told(outcome.value)) : outcome;
  } catch (thrown) {
    // What makes the agent's input or tells of its output is code of the user's.
    return failed(toolFailure(tool, name, thrown));
  }
}
