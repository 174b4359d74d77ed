// The tables of docs/guides/services.md that say which end of a run has which HTTP status, against what the handler says.
import { AgentError, errorCodes, type RunResult, type RunStatus } from "airworthy";
import { expect, test } from "vitest";
import { httpStatusOf } from "../../src/http/client-result.ts";
import { readPage, rowsOf } from "./pages.ts";

const rows = rowsOf(readPage("docs/guides/services.md")).map((cells) => cells.map((cell) => cell.replaceAll("`", "")));
const said = (word: string) =>
  rows.filter(([first, status = ""]) => first === word && /^\d{3}$/.test(status)).map(([, status]) => Number(status));

const facts = {
  runId: "r",
  usage: { modelCalls: 0, toolCalls: 0, unreported: 0 },
  cost: { usd: 0, unconfirmedUsd: 0, unpriced: 0, byModel: {}, byTool: {}, byAgent: {}, byStage: {} },
  timings: { totalMs: 0, modelMs: 0, toolMs: 0 },
  findings: [],
  degraded: [],
  messages: [],
  resumable: false,
};
const error = new AgentError("internal_error", "m");
const refusal = { by: "g", code: error.code, message: "m" };
const ends: { readonly [Status in RunStatus]: RunResult & { readonly status: Status } } = {
  completed: { ...facts, status: "completed", output: "", text: "", finishReason: "stop" },
  refused: { ...facts, status: "refused", error, refusal },
  escalated: { ...facts, status: "escalated", error, handoff: refusal },
  cancelled: { ...facts, status: "cancelled", error },
  failed: { ...facts, status: "failed", error },
  partial: { ...facts, status: "partial", error, finished: [], missing: [], explanation: "" },
  suspended: { ...facts, status: "suspended", waitingFor: [] },
  halted: { ...facts, status: "halted", error },
};

test.each(Object.values(ends))("a run that is $status", (result) => {
  expect(said(result.status)).toEqual([httpStatusOf(result)]);
});

test("every code of a failed run that has a status of its own, and no other", () => {
  const codes = Object.keys(errorCodes).filter((code): code is keyof typeof errorCodes => code in errorCodes);
  const statusOf = (code: keyof typeof errorCodes) => httpStatusOf({ ...ends.failed, error: new AgentError(code, "m") });
  const own = codes.filter((code) => statusOf(code) !== 500);
  expect(own.map((code) => [code, said(code)])).toEqual(own.map((code) => [code, [statusOf(code)]]));
  expect(codes.filter((code) => !(code in ends) && said(code).length > 0).toSorted()).toEqual(own.toSorted());
});
