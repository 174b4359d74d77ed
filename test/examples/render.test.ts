// How the support desk renders a run. Everything is text in, text out, so the exact picture is the assertion.
import { stripVTControlCharacters } from "node:util";
import { AgentError, type ResultFacts, type RunEvent, type TimelineRow } from "airworthy";
import { describe, expect, test } from "vitest";
import { createProgress, renderResult, renderTimeline } from "../../examples/support-desk/render.ts";

const plain = { colours: false };
const coloured = { colours: true };

const shown = (events: readonly RunEvent[], options = plain) => events.map(createProgress(options)).join("");
const delta = (text: string): RunEvent => ({ type: "text.delta", turn: 1, text });
const finished: RunEvent = { type: "run.finished", at: 1_300, status: "completed" };

const events: readonly RunEvent[] = [
  { type: "run.started", at: 1_000, runId: "r1", agent: "support-desk" },
  { type: "stage.finished", at: 1_000, key: "context", stage: "context", durationMs: 0 },
  { type: "attempt.started", at: 1_001, key: "turn-1/model", kind: "model", name: "gpt-5-mini", attempt: 1 },
  { type: "attempt.failed", at: 1_010, key: "turn-1/model", kind: "model", name: "x", attempt: 1, code: "rate_limited", retryAt: 1_160 },
  { type: "attempt.started", at: 1_160, key: "turn-1/model", kind: "model", name: "gpt-5-mini", attempt: 2 },
  delta("Let me "),
  delta("see."),
  { type: "step.finished", at: 1_200, key: "turn-1/model", kind: "model", name: "gpt-5-mini", attempts: 2 },
  { type: "attempt.failed", at: 1_210, key: "turn-1/tool/0", kind: "tool", name: "x", attempt: 1, code: "tool_failed" },
  { type: "step.finished", at: 1_210, key: "turn-1/tool/0", kind: "tool", name: "findOrder", attempts: 1, code: "tool_failed" },
  finished,
];

describe("progress", () => {
  test("is one line for each event that matters, with the text between them as it came", () => {
    expect(`\n${shown(events)}`).toBe(`
     0 ms  support-desk            run r1
     1 ms  turn-1/model            gpt-5-mini
    10 ms  turn-1/model            failed: rate_limited, again in 150 ms
   160 ms  turn-1/model            gpt-5-mini, attempt 2
           | Let me see.
   200 ms  turn-1/model            done
   210 ms  turn-1/tool/0           failed: tool_failed
   210 ms  turn-1/tool/0           findOrder ended with tool_failed
   300 ms                          completed
`);
  });

  test("shows each piece of text when it comes", () => {
    const show = createProgress(plain);
    expect([delta("Let "), delta("me"), finished].map(show)).toEqual([
      "           | Let ",
      "me",
      expect.stringMatching(/^\n.*completed\n$/),
    ]);
  });

  test("breaks long text between words and keeps its own line breaks", () => {
    const lines = shown([delta(`${"word ".repeat(60)}end\n\nnext`), finished]).split("\n");
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    expect(lines.slice(-5, -2)).toEqual([expect.stringMatching(/ end$/), "           | ", "           | next"]);
  });

  test("cuts a line that would not fit", () => {
    const [line = ""] = shown([
      { type: "attempt.started", at: 0, key: "turn-1/model", kind: "model", name: "m".repeat(200), attempt: 1 },
    ]).split("\n");
    expect(line).toHaveLength(100);
    expect(line).toMatch(/m\.\.\.$/);
  });

  test("says why a run did not come to its end", () => {
    expect(shown([{ type: "run.finished", at: 0, status: "partial", code: "turn_limit" }])).toContain("partial with turn_limit\n");
  });

  test("has colours only when asked to, and the same words in them", () => {
    const painted = shown(events, coloured);
    expect(painted).not.toBe(shown(events));
    expect(stripVTControlCharacters(painted)).toBe(shown(events));
  });
});

const rows: readonly TimelineRow[] = [
  { atMs: 0, kind: "run", key: "", what: "support-desk 1", outcome: "started" },
  { atMs: 1, durationMs: 205, kind: "stage", key: "turn-1/planner", what: "planner", outcome: "done" },
  {
    atMs: 2,
    durationMs: 204,
    kind: "model",
    key: "turn-1/model",
    what: "m",
    outcome: "done after 2 attempts",
    inputTokens: 254,
    outputTokens: 9,
    usd: 0.000082,
  },
  { atMs: 10, kind: "attempt", key: "turn-1/model", what: "attempt 1", outcome: "rate_limited" },
  { atMs: 210, durationMs: 0, kind: "tool", key: "turn-1/tool/0", what: "findOrder", outcome: "tool_input_invalid" },
  { atMs: 211, durationMs: 7, kind: "model", key: "turn-2/model", what: "m", outcome: "done", outputTokens: 4 },
  { atMs: 218, kind: "run", key: "", what: "end", outcome: "completed" },
];

describe("timeline", () => {
  test("is a table with steps below their stage", () => {
    expect(`\n${renderTimeline(rows, plain)}`).toBe(`
 at ms    took  what                               outcome                tokens in + out       cost
     0          support-desk 1                     started
     1     205  turn-1/planner                     done
     2     204    turn-1/model  m                  done after 2 attempts          254 + 9  $0.000082
    10              turn-1/model  attempt 1        rate_limited
   210       0    turn-1/tool/0  findOrder         tool_input_invalid
   211       7    turn-2/model  m                  done                             ? + 4
   218          end                                completed
`);
  });

  test("fits 100 columns whatever the names are", () => {
    const long: TimelineRow = {
      atMs: 1,
      kind: "tool",
      key: "turn-1/tool/0",
      what: "a".repeat(90),
      outcome: "provider_unavailable after 3 attempts",
    };
    const lines = renderTimeline([...rows, long], plain).split("\n");
    expect(Math.max(...lines.map(({ length }) => length))).toBe(100);
  });

  test("has the same words in colours", () => {
    expect(stripVTControlCharacters(renderTimeline(rows, coloured))).toBe(renderTimeline(rows, plain));
  });
});

describe("result", () => {
  const facts: ResultFacts = {
    runId: "r1",
    usage: { inputTokens: 254, outputTokens: 9, totalTokens: 263, modelCalls: 2, toolCalls: 1, unreported: 0 },
    cost: { usd: 0, unconfirmedUsd: 0, unpriced: 2, byModel: {}, byTool: {}, byAgent: {}, byStage: {} },
    timings: { totalMs: 218, modelMs: 211, toolMs: 0 },
    findings: [],
    degraded: [],
    messages: [],
    resumable: false,
  };

  test("is what a reader wants to know first", () => {
    const degraded = [{ tool: "refundOrder", by: "queueRefund", key: "turn-1/tool/0/fallback" }];
    const rendered = renderResult(
      { ...facts, degraded, status: "completed", output: "Done.", text: "Done.", finishReason: "stop" },
      "Done.",
      plain,
    );
    expect(`\n${rendered}`).toBe(`
status    completed
answer    Done.
tokens    254 in, 9 out, for 2 model calls
cost      $0.000000, and what nobody has a price for
time      218 ms, 211 of them in the model, 0 in tools
degraded  refundOrder, answered by queueRefund
`);
  });

  test("does not take unreported tokens for none", () => {
    const usage = { modelCalls: 1, toolCalls: 0, unreported: 1 };
    const failed = { ...facts, usage, status: "failed" as const, error: new AgentError("provider_unavailable", "It is down.") };
    expect(renderResult(failed, "It is down.", plain)).toContain("tokens    ? in, ? out, for 1 model calls\n");
  });

  test("keeps a long answer within its column", () => {
    const text = "word ".repeat(60).trim();
    const lines = renderResult({ ...facts, status: "completed", output: text, text, finishReason: "stop" }, text, plain).split("\n");
    expect(lines.every((line) => line.length <= 100)).toBe(true);
    expect(lines.slice(1, 4)).toEqual([
      expect.stringMatching(/^answer {4}word/),
      expect.stringMatching(/^ {10}word/),
      expect.stringMatching(/^ {10}word/),
    ]);
  });
});
