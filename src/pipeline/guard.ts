// Runs the guardrails of one point, in order, each on what the one before left. Whatever is not a clear verdict refuses.

import { AgentError } from "../core/errors.ts";
import type { GuardDecision, GuardPoint, Guardrail, Verdict, VerdictRecord } from "../core/guardrail.ts";
import { assertJson } from "../core/json.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Run } from "../core/run.ts";
import { spanEvents } from "../core/trace.ts";
import { withinTime } from "../core/waiting.ts";

const defaultTimeoutMs = 5_000;

export interface GuardedText {
  readonly point: GuardPoint;
  readonly text: string;
  readonly tool?: string;
}

/** What all of them together decide; never throws. Guardrails without I/O are assumed: outside checks belong in steps. */
async function decideGuards(guardrails: readonly Guardrail[], subject: GuardedText, run: Run): Promise<GuardDecision> {
  const verdicts: VerdictRecord[] = [];
  let { text } = subject;
  for (const guardrail of guardrails) {
    const verdict = await ask(guardrail, { ...subject, text }, run);
    const failed = verdict instanceof AgentError;
    const record = recordOf(guardrail, subject, failed ? failedAs(guardrail) : verdict.verdict, failed ? undefined : verdict.findings);
    verdicts.push(record);
    run.trace.event(spanEvents.guardrail, {
      "airworthy.guardrail.name": guardrail.name,
      "airworthy.guardrail.stage": subject.point,
      "airworthy.guardrail.verdict": record.verdict,
    });
    if (failed) {
      if (guardrail.onError === "allow") continue;
      return { allowed: false, verdicts, by: guardrail.name, code: "guardrail_failed", message: verdict.message };
    }
    if (verdict.verdict === "rewrite") ({ text } = verdict);
    if (verdict.verdict === "block" || verdict.verdict === "escalate") return refusal(guardrail, verdict, verdicts);
  }
  return { allowed: true, verdicts, ...(text === subject.text ? {} : { text }) };
}

/** What the guardrails decide, recorded as a choice of the line. A run that is stopped meanwhile records nothing: they did not refuse. */
export const decideText = (
  run: Run,
  key: string,
  guardrails: readonly Guardrail[],
  subject: GuardedText,
): Promise<Outcome<GuardDecision>> => run.decide(key, () => decideGuards(guardrails, subject, run), "guardrails");

const failedAs = (guardrail: Guardrail) => (guardrail.onError === "allow" ? "bypassed" : "error");

function refusal(guardrail: Guardrail, verdict: Extract<Verdict, { message: string }>, verdicts: readonly VerdictRecord[]): GuardDecision {
  const { message } = verdict;
  const by = guardrail.name;
  if (verdict.verdict === "escalate") return { allowed: false, verdicts, by, code: "guardrail_escalated", message };
  const code = verdict.code ?? "guardrail_blocked";
  return { allowed: false, verdicts, by, code, message, ...(verdict.reask === undefined ? {} : { reask: verdict.reask }) };
}

/** The error a refusing decision amounts to. */
export function guardError(decision: Extract<GuardDecision, { allowed: false }>, point: GuardPoint): AgentError {
  return new AgentError(decision.code, decision.message, { details: { guardrail: decision.by, point } });
}

function recordOf(
  { name }: Guardrail,
  { point, tool }: GuardedText,
  verdict: VerdictRecord["verdict"],
  findings: VerdictRecord["findings"],
): VerdictRecord {
  return {
    guardrail: name,
    point,
    verdict,
    ...(tool === undefined ? {} : { tool }),
    ...(findings && findings.length > 0 ? { findings: findings.map((finding) => ({ ...finding })) } : {}),
  };
}

async function ask(guardrail: Guardrail, subject: GuardedText, { clock, signal, facts }: Run): Promise<Verdict | AgentError> {
  const look = (own: AbortSignal): unknown => guardrail.check({ ...subject, run: facts, signal: own });
  try {
    const verdict = await withinTime(clock, guardrail.timeoutMs ?? defaultTimeoutMs, signal, look);
    return isVerdict(verdict) ? verdict : broken(guardrail, "did not answer in time, or answered no verdict");
  } catch (thrown) {
    return broken(guardrail, "threw", thrown);
  }
}

const broken = (guardrail: Guardrail, what: string, cause?: unknown) =>
  new AgentError("guardrail_failed", `The guardrail ${guardrail.name} ${what}; nothing was let through.`, { cause });

const codes: ReadonlySet<unknown> = new Set([undefined, "guardrail_blocked", "input_too_long", "output_mismatch"]);

/** What a guardrail answers is somebody else's: only a verdict in every part of it is one. */
function isVerdict(value: unknown): value is Verdict {
  if (typeof value !== "object" || value === null) return false;
  const { verdict, text, message, code, reask, findings }: Readonly<Record<string, unknown>> = { ...value };
  if (findings !== undefined && !areFindings(findings)) return false;
  switch (verdict) {
    case "pass":
    case "flag":
      return true;
    case "rewrite":
      return typeof text === "string";
    case "block":
      return typeof message === "string" && codes.has(code) && (reask === undefined || typeof reask === "string");
    case "escalate":
      return typeof message === "string";
    default:
      return false;
  }
}

function areFindings(value: unknown): boolean {
  try {
    assertJson(value);
    return Array.isArray(value) && value.every((finding) => typeof finding === "object" && finding !== null && "kind" in finding);
  } catch {
    return false;
  }
}
