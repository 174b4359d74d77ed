// What the runtime relies on in a model, as cases any test runner can run. Invariant: nothing is believed of an adapter that HTTP did not show.
import { deepEqual } from "node:assert/strict";
import { answerCases, streamCases } from "./answer-cases.ts";
import { faultTable } from "./fault-table.ts";
import { measureFault } from "./measured-fault.ts";
import type { AdapterFor, ConformanceCase } from "./one-call.ts";
import { abortCases, requestCases } from "./request-cases.ts";

/**
 * The cases for an adapter that speaks Chat Completions, Responses or Messages: good answers as JSON and as a stream, histories, aborts, and
 * every fault of the fault table through a real agent.
 *
 *     for (const { name, run } of modelConformance((provider) => acme("m", { baseURL: provider.baseURL }))) test(name, run);
 */
export function modelConformance(adapterFor: AdapterFor): readonly ConformanceCase[] {
  return [
    ...answerCases(adapterFor),
    ...streamCases(adapterFor),
    ...requestCases(adapterFor),
    ...abortCases(adapterFor),
    ...faultCases(adapterFor),
  ];
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
