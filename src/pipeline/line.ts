// What the stages work with: the agent's fixed parts, and the state of one pass over one run.
import type { Clock } from "../core/clock.ts";
import type { RunEvent } from "../core/events.ts";
import type { RunFacts } from "../core/facts.ts";
import type { GuardPoint, Guardrail, VerdictRecord } from "../core/guardrail.ts";
import type { RunCaps } from "../core/journal.ts";
import type { Json } from "../core/json.ts";
import type { Ledger } from "../core/ledger.ts";
import type { Message, RunInput, ToolCall } from "../core/message.ts";
import type { FinishReason } from "../core/model.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Degraded, Simulated } from "../core/result.ts";
import type { Machinery, Run } from "../core/run.ts";
import type { CompiledSchema } from "../core/schema.ts";
import type { Store } from "../core/store.ts";
import type { Tool } from "../core/tool.ts";
import type { Trace } from "../core/trace.ts";
import type { Budgets } from "../policy/budgets/budgets.ts";
import type { Effects } from "../policy/effects/effects.ts";
import type { CallLimits } from "../policy/limits.ts";
import type { TokenCounter } from "../policy/tokens/request-tokens.ts";
import type { Candidates } from "./candidates.ts";
import type { RequestTokens } from "./request-tokens.ts";
import type { TextWindow } from "./text-window.ts";
import type { Held, Thread } from "./thread.ts";
import type { Around } from "./yours.ts";

/** Instructions as text, or as a function of the run; asked once per run. */
export type Instructions = string | ((run: RunFacts) => string | Promise<string>);

/** An agent as resolved by createAgent: frozen, shared by all its runs. */
export interface AgentParts {
  readonly name: string;
  readonly version: string;
  readonly models: Candidates;
  readonly instructions: Instructions | undefined;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly guardrails: Readonly<Record<GuardPoint, readonly Guardrail[]>>;
  readonly output: CompiledSchema | undefined;
  readonly around: Around;
  readonly stages: Stages;
  /** What somebody looks at before it leaves: until then it is shown to nobody. */
  readonly held: Held;
  readonly machinery: Machinery;
  readonly caps: RunCaps;
  readonly budgets: Budgets;
  readonly effects: Effects;
  readonly tokens: TokenCounter;
  /** Limits the store is known to know, by key. */
  readonly knownBudgets: Set<string>;
  /** Opens the span of a whole run. */
  readonly openTrace: (run: RunFacts, resumed: boolean) => Trace;
  readonly clock: Clock;
  readonly store: Store;
  /** The store as it was given, with nothing in front of it. */
  readonly plainStore: Store;
  /** Gives back what budgets have reserved ahead; nothing is, afterwards. */
  readonly giveBack: () => Promise<void>;
  /** How long a run is this agent's after the last sign of life. */
  readonly leaseMs: number;
}

/** What a stage of the user's may work with besides the run. */
export interface StageLine {
  readonly input: RunInput;
  /** Text is wanted while it is made. */
  readonly streamed: boolean;
  /** The conversation so far; what is added to it is what the model reads next. */
  readonly thread: Thread;
  /** Where text goes on its way to the consumer. */
  readonly window: TextWindow;
}

/** One pass. Everything in it is rebuilt the same way from the journal on the next. */
export interface Line extends StageLine {
  readonly agent: AgentParts;
  /** A streamed answer that broke off after part of it was shown may begin anew. */
  readonly restarts: boolean;
  readonly emit: (event: RunEvent) => void;
  readonly limits: CallLimits;
  readonly ledger: Ledger;
  /** Counts what models are asked; each message once. */
  readonly tokens: RequestTokens;
  /** Calls asked for in earlier passes, by key, with the schema of the tool as it was offered then. */
  readonly askedBefore: ReadonlyMap<string, Json>;
  readonly findings: VerdictRecord[];
  readonly degraded: Degraded[];
  /** Set when acts are simulated: those that were. */
  readonly simulated: Simulated[] | undefined;
  /** Tools that have given a result, and those that were asked for and have not. */
  readonly finished: string[];
  readonly unfinished: string[];
  /** How often the output filter has asked again. */
  reasks: number;
}

/** What the planner decided for one turn: the calls to make, or, without calls, the answer. */
export interface Plan {
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finishReason: FinishReason;
}

/** What the user gets. `output` is the text, or the value the output schema makes of it. */
export interface Answer {
  readonly output: unknown;
  readonly text: string;
  readonly finishReason: FinishReason;
}

/**
 * The line's stages, each replaceable. Input and output guardrails and the limit of turns hold whoever fills them; the limits and guardrails
 * of calls are the executor's. A stage touches the world only through `run.step`
 * and makes choices through `run.decide`; everything else in it is done again on every pass. What it throws fails the run (an
 * `AgentError` ends it as its code says). Methods, so that our own stages may see all of the line.
 */
export interface Stages {
  /** Gets what the input guardrails have left of what the user said; answers the message that goes on. Ours changes nothing. */
  inputFilter(run: Run, line: StageLine, said: Message): Promise<Outcome<Message>>;
  /** Puts together what the model is to know: fills `line.thread`. */
  context(run: Run, line: StageLine, said: Message): Promise<Outcome<null>>;
  /** Decides what to do next. Once per turn. */
  planner(run: Run, line: StageLine, turn: number): Promise<Outcome<Plan>>;
  /** Makes the planned calls and adds their results, in call order, to `line.thread`. */
  executor(run: Run, line: StageLine, plan: Plan): Promise<Outcome<null>>;
  /** Gets the model's answer; what it answers then has to pass the output guardrails. Ours changes nothing. */
  outputFilter(run: Run, line: StageLine, plan: Plan): Promise<Outcome<string>>;
  /** Makes the answer of what was let go. */
  responseBuilder(run: Run, line: StageLine, text: string, plan: Plan): Promise<Outcome<Answer>>;
}
