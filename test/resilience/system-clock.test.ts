// Real timers: as long as asked, never early, gone when cancelled.
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../../src/resilience/system-clock.ts";

describe("systemClock", () => {
  afterEach(() => void vi.useRealTimers());

  test("tells the time of the machine", () => {
    vi.useFakeTimers({ now: 1_767_225_600_000 });
    expect(systemClock.now()).toBe(1_767_225_600_000);
  });

  test.each([0, -5, Number.NaN])("%d fires as soon as possible, but not at once", async (ms) => {
    vi.useFakeTimers();
    let fired = false;
    systemClock.after(ms, () => {
      fired = true;
    });
    expect(fired).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired).toBe(true);
  });

  const days = 86_400_000;

  test.each([1, 2 ** 31 - 2, 2 ** 31 - 1, 2 ** 31, 60 * days])(
    "%d ms and the one that Node may be early, then it fires once",
    async (ms) => {
      vi.useFakeTimers();
      let fired = 0;
      systemClock.after(ms, () => fired++);
      await vi.advanceTimersByTimeAsync(ms);
      expect(fired).toBe(0);
      await vi.advanceTimersByTimeAsync(1);
      expect(fired).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test.each([0, 1, 1_000, 60 * days, Infinity])("%d ms: cancelled it never fires and leaves no timer", async (ms) => {
    vi.useFakeTimers();
    let fired = 0;
    const cancel = systemClock.after(ms, () => fired++);
    expect(vi.getTimerCount()).toBe(1);
    cancel();
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(61 * days);
    expect(fired).toBe(0);
  });

  test("a long wait can be cancelled at any time, also twice", async () => {
    vi.useFakeTimers();
    const cancel = systemClock.after(60 * days, () => expect.unreachable());
    await vi.advanceTimersByTimeAsync(30 * days);
    cancel();
    cancel();
    expect(vi.getTimerCount()).toBe(0);
  });
});
