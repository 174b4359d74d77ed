// The seeded mix of faults: the same seed deals the same faults, in the share that was asked for.
import { describe, expect, test } from "vitest";
import { type FaultMixOptions, faultMix, passingFaults, type SimulatedReply, simulatedProvider } from "../../../src/testing/index.ts";
import { ask } from "./exchange.ts";

/** What each of so many requests gets. */
async function dealt(options: Partial<FaultMixOptions>, requests = 40): Promise<readonly (SimulatedReply | undefined)[]> {
  await using provider = await simulatedProvider({ rules: faultMix({ seed: 1, share: 0.5, reply: { text: "x" }, ...options }) });
  for (let index = 0; index < requests; index++) {
    await ask(provider, "chat")
      .then((response) => response.text())
      .catch(() => "broken");
  }
  return provider.requests.map(({ reply }) => reply);
}

const faultsIn = (replies: readonly (SimulatedReply | undefined)[]) => replies.map((reply) => reply?.fault);

describe("faultMix", () => {
  test("deals the same to the same seed, something else to another", async () => {
    const first = await dealt({});
    expect(await dealt({})).toEqual(first);
    expect(faultsIn(await dealt({ seed: 2 }))).not.toEqual(faultsIn(first));
  });

  test("keeps to the share, and leaves no fault out", async () => {
    const faults = faultsIn(await dealt({ share: 0.3 }, 400)).filter((fault) => fault !== undefined);
    expect(faults.length).toBeGreaterThan(90);
    expect(faults.length).toBeLessThan(150);
    expect(new Set(faults)).toEqual(new Set(passingFaults.map(({ fault }) => fault)));
  });

  test("deals none at 0 and nothing else at 1", async () => {
    expect(new Set(faultsIn(await dealt({ share: 0 })))).toEqual(new Set([undefined]));
    expect(faultsIn(await dealt({ share: 1 }))).not.toContain(undefined);
  });

  test("lets a fault happen to the answer that was due, under the fault's own terms", async () => {
    const faults = [{ fault: "cut", afterChunks: 3 }] as const;
    const reply = { text: "On its way.", chunkSize: 2 };
    expect(await dealt({ share: 1, faults, reply }, 1)).toEqual([{ fault: "cut", afterChunks: 3, text: "On its way.", chunkSize: 2 }]);
  });

  test("asks a function for the answer", async () => {
    const replies = await dealt({ share: 0, reply: ({ index }) => Promise.resolve({ text: String(index) }) }, 2);
    expect(replies).toEqual([{ text: "0" }, { text: "1" }]);
  });

  test.for([{ seed: 0.5 }, { seed: Number.NaN }, { share: -0.1 }, { share: 1.1 }, { share: Number.NaN }, { faults: [] }])(
    "does not take %o",
    (wrong) => {
      expect(() => faultMix({ seed: 1, share: 0.5, reply: {}, ...wrong })).toThrow(
        expect.objectContaining({ code: "configuration_invalid" }),
      );
    },
  );
});
