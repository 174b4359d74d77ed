// Fake time: timers fire in order and at their times, and with autoClock() waiting takes no real time.
import { describe, expect, test } from "vitest";
import { sleep } from "../../src/core/waiting.ts";
import { autoClock, fakeClock, simulatedProvider } from "../../src/testing/index.ts";

const never = new AbortController().signal;

describe("fakeClock", () => {
  test("stands still until it is advanced", async () => {
    const clock = fakeClock(1_000);
    expect(clock.now()).toBe(1_000);
    await clock.advance(250);
    expect(clock.now()).toBe(1_250);
  });

  test("fires timers in the order of their times, each at its own time", async () => {
    const clock = fakeClock(0);
    const fired: string[] = [];
    for (const ms of [30, 10, 20, 10]) clock.after(ms, () => fired.push(`${ms} at ${clock.now()}`));
    await clock.advance(25);
    expect(fired).toEqual(["10 at 10", "10 at 10", "20 at 20"]);
    expect(clock.pending).toBe(1);
    await clock.advance(5);
    expect(fired.at(-1)).toBe("30 at 30");
  });

  test("fires timers that are set on the way by what a timer sets off", async () => {
    const clock = fakeClock(0);
    const times: number[] = [];
    const loop = async () => {
      while (times.length < 3) {
        await sleep(clock, 10, never);
        times.push(clock.now());
      }
    };
    const looping = loop();
    await clock.advance(30);
    expect(times).toEqual([10, 20, 30]);
    await looping;
  });

  test("does not fire a cancelled timer, cancelled by another one that is due at the same time", async () => {
    const clock = fakeClock();
    const fired: string[] = [];
    clock.after(10, () => {
      fired.push("first");
      cancel();
    });
    const cancel = clock.after(10, () => fired.push("second"));
    expect(clock.pending).toBe(2);
    await clock.advance(10);
    expect(fired).toEqual(["first"]);
    expect(clock.pending).toBe(0);
  });

  test.for([0, -1, Number.NaN])("fires a timer of %s ms without being advanced, but not at once", async (ms) => {
    const clock = fakeClock(5);
    const slept = sleep(clock, ms, never);
    expect(clock.pending).toBe(1);
    expect(await slept).toBe(true);
    expect(clock.now()).toBe(5);
  });

  test("leaves a timer of more than that alone", async () => {
    const clock = fakeClock();
    clock.after(1, () => expect.unreachable());
    await sleep(clock, 0, never);
    expect(clock.pending).toBe(1);
  });

  test.for([-1, Number.NaN])("cannot be advanced by %s", async (ms) => {
    await expect(fakeClock().advance(ms)).rejects.toMatchObject({ code: "input_invalid" });
  });
});

describe("autoClock", () => {
  test("takes no real time to wait", async () => {
    const clock = autoClock({ start: 0 });
    for (const ms of [500, 1_000, 8_000]) await sleep(clock, ms, never);
    expect(clock.now()).toBe(9_500);
  });

  test("jumps to the nearest timer first", async () => {
    const clock = autoClock({ start: 0 });
    const woken: number[] = [];
    await Promise.all([300, 100, 200].map(async (ms) => woken.push((await sleep(clock, ms, never)) ? ms : 0)));
    expect(woken).toEqual([100, 200, 300]);
  });

  test("lets work that is ready go first", async () => {
    const clock = autoClock();
    const events: string[] = [];
    const slept = sleep(clock, 1, never).then(() => events.push("timer"));
    for (let job = 0; job < 100; job++) await Promise.resolve();
    events.push("work");
    await slept;
    expect(events).toEqual(["work", "timer"]);
  });

  test("does not fire a long timer by itself, not even while real I/O takes its time", async () => {
    const clock = autoClock();
    clock.after(10_001, () => expect.unreachable());
    await using provider = await simulatedProvider({ scenario: [{ text: "x" }] });
    await fetch(`${provider.baseURL}/chat/completions`, { method: "POST", body: '{"messages": []}' });
    expect(clock.pending).toBe(1);
  });

  test("fires a long timer when jumps pass its time, at its time", async () => {
    const clock = autoClock({ start: 0, autoMaxMs: 20 });
    const fired: number[] = [];
    clock.after(50, () => fired.push(clock.now()));
    for (let nap = 0; nap < 2; nap++) await sleep(clock, 20, never);
    expect(fired).toEqual([]);
    await sleep(clock, 20, never);
    expect(fired).toEqual([50]);
    expect(clock.now()).toBe(60);
  });

  test("fires a long timer when it is advanced to it", async () => {
    const clock = autoClock({ start: 0 });
    const slept = sleep(clock, 30_000, never);
    await clock.advance(30_000);
    expect(await slept).toBe(true);
    expect(clock.now()).toBe(30_000);
  });

  test("goes on by itself after it was idle", async () => {
    const clock = autoClock({ start: 0 });
    await sleep(clock, 5, never);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    await sleep(clock, 5, never);
    expect(clock.now()).toBe(10);
  });
});
