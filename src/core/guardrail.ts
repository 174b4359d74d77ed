// The guardrail port: content in, verdict out. A guardrail that throws, times out or answers garbage refuses.
import type { RunFacts } from "./facts.ts";

export type GuardPoint = "input" | "toolInput" | "toolOutput" | "output";

/** What a guardrail looks at. */
export interface Subject {
  readonly point: GuardPoint;
  /** The text at this point; of a tool's input its arguments as JSON text. */
  readonly text: string;
  /** The tool concerned, at toolInput and toolOutput. */
  readonly tool?: string;
  readonly run: RunFacts;
  /** Aborted when the guardrail's time is up or the run stops. */
  readonly signal: AbortSignal;
}

/** Something a guardrail noticed. Never the content itself: findings are shown in results and telemetry. */
export interface Finding {
  readonly kind: string;
  readonly message?: string;
  /** 0 to 1. */
  readonly score?: number;
  /** Half-open range of UTF-16 code units in the text looked at. */
  readonly span?: readonly [number, number];
  readonly rule?: string;
}

type Found = { readonly findings?: readonly Finding[] };

/**
 * `rewrite` goes on with `text` instead; `flag` goes on and reports; `block` refuses, at `output` after giving the model `reask` once
 * when that is set; `escalate` stops for a person. Messages are shown to the caller: no content in them.
 */
export type Verdict =
  | ({ readonly verdict: "pass" } & Found)
  | ({ readonly verdict: "rewrite"; readonly text: string } & Found)
  | ({ readonly verdict: "flag" } & Found)
  | ({
      readonly verdict: "block";
      readonly code?: "guardrail_blocked" | "input_too_long" | "output_mismatch";
      readonly message: string;
      readonly reask?: string;
    } & Found)
  | ({ readonly verdict: "escalate"; readonly message: string } & Found);

export interface Guardrail {
  readonly name: string;
  /** Milliseconds; default 5,000. */
  readonly timeoutMs?: number;
  /** What a guardrail that fails does: `refuse` (default) or `allow`, which is recorded as bypassed, never as passed. */
  readonly onError?: "refuse" | "allow";
  /** Looks, and answers. Called once per text and pass; on a second pass over a journal the recorded verdict stands. */
  check(subject: Subject): Verdict | Promise<Verdict>;
}

/** Guardrails by the point they stand at; they run in this order, each seeing what the one before left. */
export interface Guardrails {
  readonly input?: readonly Guardrail[];
  readonly toolInput?: readonly Guardrail[];
  readonly toolOutput?: readonly Guardrail[];
  readonly output?: readonly Guardrail[];
}

/** A verdict as the journal keeps it: what was decided and found, without content. */
export interface VerdictRecord {
  readonly guardrail: string;
  readonly point: GuardPoint;
  readonly verdict: Verdict["verdict"] | "error" | "bypassed";
  readonly tool?: string;
  readonly findings?: readonly Finding[];
}

/** What all guardrails of one point decided together. Plain JSON, so that it can be recorded. */
export type GuardDecision = {
  readonly verdicts: readonly VerdictRecord[];
} & (
  | {
      readonly allowed: true;
      /** Only when it was rewritten: what stands elsewhere in the journal is not written twice. */
      readonly text?: string;
    }
  | {
      readonly allowed: false;
      readonly by: string;
      readonly code: "guardrail_blocked" | "guardrail_failed" | "guardrail_escalated" | "input_too_long" | "output_mismatch";
      readonly message: string;
      readonly reask?: string;
    }
);
