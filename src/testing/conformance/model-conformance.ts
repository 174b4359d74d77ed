// What the runtime relies on in a model, as cases any test runner can run. Invariant: nothing is believed of an adapter that HTTP did not show.
import { deepEqual, equal, ok } from "node:assert/strict";
import { AgentError } from "../../core/errors.ts";
import { abortCases } from "./abort-cases.ts";
import { answerCases } from "./answer-cases.ts";
import { faultTable } from "./fault-table.ts";
import { historyCases } from "./history-cases.ts";
import { measureFault } from "./measured-fault.ts";
import { offerCases } from "./offer-cases.ts";
import { type AdapterFor, type ConformanceCase, call, question, ways, withAdapter } from "./one-call.ts";
import { streamCases } from "./stream-cases.ts";
import { usageCases } from "./usage-cases.ts";

/**
 * The cases for an adapter that speaks Chat Completions, Responses or Messages: good answers as JSON and as a stream, what is sent of a
 * conversation and of an offer, usage, aborts, and every fault of the fault table through a real agent. What an API has no word for may be
 * left out or refused; what it has one for is missed.
 *
 *     for (const { name, run } of modelConformance((provider) => acme("m", { baseURL: provider.baseURL }))) test(name, run);
 */
export function modelConformance(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return [
    ...answerCases(adapterFor),
    ...streamCases(adapterFor),
    ...usageCases(adapterFor),
    ...historyCases(adapterFor),
    ...offerCases(adapterFor),
    ...abortCases(adapterFor),
    ...waitCases(adapterFor),
    ...faultCases(adapterFor),
  ];
}

const now = Date.UTC(2026, 0, 1);
const waits = [
  { retryAfter: "7", due: now + 7_000 },
  { retryAfterMs: "1500", due: now + 1_500 },
  { retryAfter: new Date(now + 30_000).toUTCString(), due: now + 30_000 },
];

/** A provider that says when to come back is heard. */
function waitCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return ways.map(({ streamed, way }) => ({
    name: `says when the provider wants to be asked again ${way}`,
    run: async () => {
      for (const { due, ...wait } of waits) {
        const asked = { now: () => now, ...(streamed ? { onText: () => {} } : {}) };
        const ask = withAdapter(adapterFor, { scenario: [{ fault: "rate-limit", ...wait }] }, (model) => call(model, question, asked));
        const thrown: unknown = await ask.catch((error: unknown) => error);
        ok(AgentError.is(thrown), "a refusal is an AgentError");
        const { retryAt, retryAfterMs } = thrown.details;
        equal(retryAt ?? now + Number(retryAfterMs), due);
      }
    },
  }));
}

function faultCases(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return faultTable.flatMap((fault) =>
    [false, true].map((streamed) => ({
      name: `${fault.name}, ${streamed ? "as a stream" : "as JSON"}`,
      run: async () => {
        const expected = streamed ? (fault.streamed ?? fault.whole) : fault.whole;
        const { api, ...measured } = await measureFault(adapterFor, fault, streamed);
        if (fault.only && fault.only !== api) return;
        const code = measured.code === fault.alsoFine ? expected.code : measured.code;
        deepEqual({ ...measured, ...(code ? { code } : {}) }, expected);
      },
    })),
  );
}
