// An agent as a tool of other agents: what may be said about it, and the tool that comes of it. A call of it is a run, never a function call.
import { type ChildAgent, depthOf } from "../core/child.ts";
import { AgentError } from "../core/errors.ts";
import type { JsonSchema } from "../core/json.ts";
import type { RunInput } from "../core/message.ts";
import { anything, type Checks, checkOptions, isFunction, isPositiveCount } from "../core/options.ts";
import { failed } from "../core/outcome.ts";
import type { AnySchema, InferSchema } from "../core/schema.ts";
import type { Store } from "../core/store.ts";
import { type Effect, isTool, type RetryOptions, type Risk, type Tool, tool } from "../core/tool.ts";
import { decode } from "../journal/codec.ts";
import type { AgentParts } from "../pipeline/line.ts";
import { storesWithin, unpricedModels } from "./check-budget.ts";
import { runChild } from "./child-run.ts";

/** The arguments of a call: what the schema makes of them, or one text when there is no schema. */
export type ArgumentsOf<Schema> = AnySchema extends Schema ? { readonly task: string } : InferSchema<Schema>;

export interface AgentToolOptions<Output, Schema extends AnySchema = AnySchema, Told = Output> {
  /** For the caller's model: what this agent does and when to ask it. */
  readonly description: string;
  /** Default: one text, `task`. */
  readonly inputSchema?: Schema;
  /** Needed only for a schema that cannot describe itself. */
  readonly inputJsonSchema?: JsonSchema;
  /** What the agent is asked; default the task, or the arguments as JSON. Asked again on a resume, where what was asked first counts. */
  input?(this: void, args: ArgumentsOf<Schema>): RunInput | Promise<RunInput>;
  /** What the caller's model is told of the answer; default all of it. */
  output?(this: void, output: Output): Told | Promise<Told>;
  /** The furthest that anything the agent does goes; default `write`. */
  readonly effect?: Effect;
  /** Default by effect, as of any tool. */
  readonly risk?: Risk;
  /** Default one attempt: the agent retries its own steps. Another one goes on with the same run. */
  readonly retry?: RetryOptions;
  readonly maxResultBytes?: number;
  readonly loopKey?: false | ((input: object) => unknown);
  /** Asked when the agent came to no answer, but not when a rule refused. */
  readonly fallback?: Tool;
  /** How many runs may be above the agent's own; default 5. A call that is deeper is not made (`depth_limit`). */
  readonly maxDepth?: number;
}

/** What holds when nothing is said; docs/defaults.md is tested against it. */
export const agentToolDefaults = { effect: "write", maxDepth: 5, retry: { attempts: 1 } } as const;

/** What a tool may have as well, `tool` checks. */
const checks: Checks = {
  description: anything,
  inputSchema: anything,
  inputJsonSchema: anything,
  input: isFunction,
  output: isFunction,
  effect: anything,
  risk: anything,
  retry: anything,
  maxResultBytes: anything,
  loopKey: anything,
  fallback: isTool,
  maxDepth: isPositiveCount,
};

const taskSchema = {
  type: "object",
  properties: { task: { type: "string", description: "What to do, in full: nothing of this conversation is known there." } },
  required: ["task"],
  additionalProperties: false,
};

/** `own`: the store the agent was given; without one its runs are kept with those that they are part of. Throws `configuration_invalid`. */
export function agentTool<Output, Schema extends AnySchema, Told>(
  agent: AgentParts,
  options: AgentToolOptions<Output, Schema, Told>,
  own: Store | undefined,
): Tool<ArgumentsOf<Schema>, Told>;
export function agentTool(agent: AgentParts, options: AgentToolOptions<unknown, AnySchema, unknown>, own: Store | undefined): Tool {
  checkOptions("configuration_invalid", "asTool", options, checks);
  if (options.effect === "read") checkReadsOnly(agent);
  const { input: _, output: __, maxDepth: ___, inputSchema = taskSchema, ...facts } = options;
  const made = tool({ ...facts, inputSchema, repeat: "with-same-key", retry: facts.retry ?? agentToolDefaults.retry, execute });
  return Object.freeze({ ...made, label: agent.name, timeoutMs: 0, child: childOf(agent, options, own) });
}

function execute(): Promise<never> {
  const message = "An agent as a tool is run by the run that calls it; list it among the tools of an agent.";
  return Promise.reject(new AgentError("configuration_invalid", message));
}

/** What is declared a read is made in simulations too, and nobody asks before it: an agent that acts may not pass for one. */
function checkReadsOnly({ name, tools }: AgentParts) {
  const [acting] = [...tools].find(([, { effect }]) => effect !== "read") ?? [];
  if (acting === undefined) return;
  throw new AgentError("configuration_invalid", `asTool: the agent ${name} is no "read"; its tool ${acting} acts.`);
}

type Asked = ArgumentsOf<AnySchema>;

function childOf(agent: AgentParts, options: AgentToolOptions<unknown, AnySchema, unknown>, own: Store | undefined): ChildAgent<Asked> {
  const { maxDepth = agentToolDefaults.maxDepth } = options;
  const run: ChildAgent<Asked>["run"] = async (args, call) => {
    if (depthOf(call.runId) > maxDepth) return { outcome: failed(tooDeep(agent.name, maxDepth)) };
    const store = own ?? call.store;
    return runChild({ ...agent, store }, await inputOf(options, args), call);
  };
  return {
    run,
    stores: [...(own ? [own] : []), ...storesWithin(agent)],
    unpriced: unpricedModels(agent),
    standing: async ({ runId, store }) => {
      const lines = await (own ?? store).journal.load(runId);
      if (!lines) return "none";
      return lines.some((line) => decode(line).type === "run.ended") ? "ended" : "open";
    },
    told: (output) => (options.output ? options.output(output) : output),
  };
}

const inputOf = ({ input, inputSchema }: AgentToolOptions<unknown, AnySchema, unknown>, args: Asked) => {
  if (input) return input(args);
  return inputSchema ? JSON.stringify(args) : args.task;
};

const tooDeep = (name: string, maxDepth: number) =>
  new AgentError("depth_limit", `The agent ${name} was not asked: it would have been more than ${maxDepth} runs deep.`, {
    details: { agent: name, limit: maxDepth },
  });
