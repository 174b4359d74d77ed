// The one slot for the user's own code around the line and the onion. It runs once per executed stage or step, never on a second pass.

import type { RunFacts } from "./facts.ts";
import type { ModelRequest, ModelResponse } from "./model.ts";
import type { Outcome } from "./outcome.ts";
import type { ToolResult } from "./tool.ts";

export interface StageCall {
  readonly run: RunFacts;
  readonly name: string;
  /** Path of this stage in the run, e.g. `turn-2/executor`. */
  readonly key: string;
}

export interface ModelCall {
  readonly run: RunFacts;
  readonly key: string;
  readonly provider: string;
  readonly model: string;
  readonly request: ModelRequest;
}

export interface ToolCallInfo {
  readonly run: RunFacts;
  readonly key: string;
  readonly tool: string;
  readonly callId: string;
  /** As validated. */
  readonly input: unknown;
}

/**
 * `model` and `tool` stand outside retries and may answer by themselves or change an answer; what they return is recorded. They cannot
 * turn a refusal, suspension, halt or cancel into something else. `stage` observes. One that throws fails the run (`middleware_failed`).
 */
export interface Middleware {
  readonly stage?: (call: StageCall, next: () => Promise<{ readonly status: Outcome<unknown>["status"] }>) => Promise<void>;
  readonly model?: (call: ModelCall, next: () => Promise<Outcome<ModelResponse>>) => Promise<Outcome<ModelResponse>>;
  readonly tool?: (call: ToolCallInfo, next: () => Promise<Outcome<ToolResult>>) => Promise<Outcome<ToolResult>>;
}
