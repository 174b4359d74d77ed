// The one error class and the table of its codes; docs/errors.md is tested against the table both ways.

/**
 * `retryable`: trying the same thing again at once may help. `final`: a fact about the step, recorded as its outcome;
 * what is not final is tried afresh when the run resumes. `ends`: the status of a run that this error brings to a stop.
 * `hint`: what to do about it.
 */
interface CodeFacts {
  readonly retryable: boolean;
  readonly final: boolean;
  readonly ends: "failed" | "refused" | "partial" | "cancelled" | "halted" | "escalated";
  readonly hint: string;
}

const code = (ends: CodeFacts["ends"], flags: "retryable" | "final" | "", hint: string): CodeFacts => ({
  retryable: flags === "retryable",
  final: flags === "final",
  ends,
  hint,
});

export const errorCodes = {
  // Mistakes of the caller: thrown before anything is spent.
  configuration_invalid: code("failed", "final", "Correct the option the message names."),
  input_invalid: code("failed", "final", "Correct the argument the message names and call again."),
  run_id_conflict: code("failed", "final", "Use a new runId, or give the same input the run was started with."),
  run_not_found: code("failed", "final", "Check the runId and that this process uses the store the run was started on."),
  budget_not_found: code(
    "failed",
    "final",
    "Name one that budgets.list() of the control plane shows; a limit is known once it has granted or refused something.",
  ),
  run_active: code("failed", "final", "Wait for it; if its process has died, take it over with agent.resume."),

  // The run as a whole.
  cancelled: code("cancelled", "", "The caller's signal was aborted, or the consumer left the stream."),
  halted: code("halted", "", "Somebody halted the run; lift the halt, then resume."),
  deadline_exceeded: code("partial", "", "Resume with a larger timeouts.totalMs, or make the run do less."),
  turn_limit: code("partial", "", "Resume with a larger limits.turns."),
  tool_call_limit: code("partial", "", "Resume with a larger limits.toolCalls."),
  invalid_call_limit: code("partial", "", "Improve the tool's description or schema, or resume with a larger limits.invalidCalls."),
  budget_exceeded: code("partial", "", "Raise the budget that `details.scope` names, or wait until `details.resetsAt`; then resume."),
  usage_unknown: code(
    "partial",
    "",
    'Use a provider that reports usage, or resume with budget.onUnknownUsage "charge" in the agent\'s policy.',
  ),
  effect_limit: code("refused", "final", "Do without the call, or raise the limit of policy.limits.effects that `details` names."),
  failure_limit: code("partial", "", "See what `tried` says and correct that; then resume with larger limits.failures or failuresInARow."),
  loop_detected: code("partial", "", "Resume with larger limits.identicalCalls, or set loopKey on a tool that is meant to be polled."),
  parked: code("failed", "", "The agent is shutting down; another worker, or agent.resume, goes on with the run."),
  internal_error: code("failed", "", "This is a bug of ours; please report it with the code and the stack."),
  stage_failed: code("failed", "", "A stage you supplied threw; see `cause`."),
  middleware_failed: code("failed", "", "A middleware you supplied threw or answered no outcome; see `cause`."),

  // Journal.
  step_key_reused: code("failed", "", "Two steps of one run share a key; give each its own `run.at(segment)`."),
  step_diverged: code("failed", "", "The code no longer takes the steps this run recorded; run it with the version that started it."),
  replay_diverged: code("failed", "final", "Replay with the code that ran it; `details` names the step and what differs."),
  journal_value_invalid: code("failed", "", "Return plain JSON: no Date, Map, class, function, bigint or cycle."),
  journal_conflict: code("failed", "", "Another worker owns this run now; this one has stopped."),
  journal_unavailable: code("failed", "", "The store could not be written; nothing further was started. Resume when it is back."),
  store_locked: code("failed", "", 'Another process is the worker of this file; end it first, or open the file with role "reader".'),
  journal_corrupt: code("failed", "", "The store gave back something else than was written; restore it from a backup."),
  journal_format_unknown: code("failed", "", "The journal was written by a newer release; upgrade before resuming."),

  // Guardrails.
  guardrail_blocked: code("refused", "final", "A guardrail refused the content; `details.guardrail` names it."),
  guardrail_failed: code("refused", "", "A guardrail threw, timed out or answered no verdict, so the action was not taken."),
  guardrail_escalated: code("escalated", "final", "A guardrail asked for a person; see the handoff."),
  input_too_long: code("refused", "final", "Shorten the input, or raise the limit of the normalized() guardrail."),
  output_mismatch: code("refused", "final", "The model did not produce the asked shape, also after one re-ask."),

  // Resilience.
  circuit_open: code("failed", "", "The target has been failing; try again at `details.retryAt`."),
  step_timeout: code("failed", "retryable", "The model call took longer than timeouts.stepMs."),
  first_token_timeout: code("failed", "retryable", "The model said nothing for timeouts.firstTokenMs."),
  idle_timeout: code("failed", "retryable", "The model fell silent in the middle of its answer for timeouts.idleMs."),
  tool_timeout: code("failed", "retryable", "The tool took longer than its timeoutMs."),

  // Tools.
  tool_unknown: code("failed", "final", "Call one of the tools that were offered."),
  tool_input_invalid: code("failed", "final", "Send arguments that match the tool's schema."),
  tool_input_truncated: code("failed", "final", "Send the call again with shorter arguments, or raise maxOutputTokens."),
  tool_failed: code("failed", "", "The tool threw; its `cause` is on the error, never sent to the model."),
  tool_output_invalid: code("failed", "final", "The tool returned something else than its outputSchema says, or nothing that can be sent."),
  tool_cancelled: code("failed", "", "The call was not executed, or was given up while running."),
  tool_in_doubt: code("failed", "", "It is not known whether the act happened; give the tool `reconcile`, or let a person look."),

  child_failed: code("failed", "", "The agent came to no answer; `details` has its run, and the status and code of that."),
  depth_limit: code("failed", "final", "Agents call one another too deeply; correct who calls whom, or raise maxDepth of asTool."),

  // Models.
  rate_limited: code("failed", "retryable", "The provider asked to slow down; try again at `details.retryAt`."),
  quota_exhausted: code("failed", "", "The provider account is out of credit."),
  provider_unavailable: code("failed", "retryable", "Try again later; `details.retryAt` says when, if the provider did."),
  provider_rejected: code("failed", "final", "The provider refused the request as wrong; see `details.status`."),
  authentication_failed: code("failed", "", "Check the API key."),
  context_too_long: code("failed", "final", "The request does not fit the model's context window; send less."),
  model_response_invalid: code("failed", "retryable", "The provider answered with something that is not a completion."),
  content_filtered: code("refused", "final", "The provider withheld the answer; change the request."),
  stream_interrupted: code("failed", "", "The stream broke after text had been shown; attempts are never glued together."),
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof errorCodes;

/** Codes that speak of the pass and not of what was being done in it: nobody may take them for a word about a model or a tool. */
export const isOfThePass = (errorCode: ErrorCode): boolean =>
  errorCode === "cancelled" || errorCode === "parked" || errorCode.startsWith("journal_");
export type ErrorDetails = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface AgentErrorOptions {
  readonly cause?: unknown;
  /** Machine-readable facts, e.g. `retryAt` (epoch ms), `status`, `limit`. Never content. */
  readonly details?: ErrorDetails;
  /** Overrides the table: this very failure may be tried again, or may not. */
  readonly retryable?: boolean;
  /** Overrides the table's advice. */
  readonly hint?: string;
}

const brand = Symbol.for("airworthy.error");

/** Every error Airworthy raises or returns. `message` and `details` never hold a prompt, tool data or a secret; `cause` may. */
export class AgentError extends Error {
  readonly [brand] = true;
  override readonly name = "AgentError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly retryable: boolean;
  readonly hint: string;

  constructor(errorCode: ErrorCode, message: string, options: AgentErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = errorCode;
    this.details = options.details ?? {};
    this.retryable = options.retryable ?? errorCodes[errorCode].retryable;
    this.hint = options.hint ?? errorCodes[errorCode].hint;
  }

  /** A fact about the step that is recorded as its outcome. */
  get final(): boolean {
    return errorCodes[this.code].final;
  }

  /** What logs and HTTP answers show: everything but cause and stack. */
  toJSON(): StoredError & { readonly hint: string } {
    return { ...storeError(this), hint: this.hint };
  }

  /** True for errors of this class, also when two copies of the package are loaded. */
  static is(error: unknown): error is AgentError {
    return typeof error === "object" && error !== null && brand in error;
  }
}

/** An error as the journal keeps it and as events carry it: no cause, no stack. */
export interface StoredError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: ErrorDetails;
  readonly retryable?: boolean;
}

/** The storable part of an error. */
export function storeError(error: AgentError): StoredError {
  const overridden = error.retryable !== errorCodes[error.code].retryable;
  return {
    code: error.code,
    message: error.message,
    ...(Object.keys(error.details).length > 0 ? { details: error.details } : {}),
    ...(overridden ? { retryable: error.retryable } : {}),
  };
}

/** An error read back from the journal. */
export function reviveError(stored: StoredError): AgentError {
  return new AgentError(stored.code, stored.message, {
    ...(stored.details ? { details: stored.details } : {}),
    ...(stored.retryable === undefined ? {} : { retryable: stored.retryable }),
  });
}

/**
 * `thrown` itself when it is ours, else a new error of `errorCode` with `thrown` as cause. An error of a newer copy of the package may
 * have a code that this one knows nothing about: it is somebody else's.
 */
export function toAgentError(thrown: unknown, errorCode: ErrorCode, message: string): AgentError {
  if (!AgentError.is(thrown)) return new AgentError(errorCode, message, { cause: thrown });
  return Object.hasOwn(errorCodes, thrown.code)
    ? thrown
    : new AgentError(errorCode, message, { cause: thrown, retryable: thrown.retryable });
}
