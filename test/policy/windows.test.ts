// Windows of time: calendar ones at the edges where clocks are moved and anywhere else, rolling ones against what they promise.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createWindows, type Per, type WindowOptions } from "../../src/policy/windows.ts";

const make = (options: WindowOptions) => createWindows(options, "configuration_invalid", "The limit");
const iso = (time: number | undefined) => new Date(time ?? Number.NaN).toISOString().replace(/:00\.000Z$/, "Z");

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Evenly from 0 to just below 1: fast-check's own fractions are nearly all next to 0. */
const share = fc.nat(999_999).map((millionths) => millionths / 1_000_000);

/** The windows of a zone from the one that is on at `from`: what they are called, and when each of them ends. */
type Edge = readonly [what: string, zone: string, per: Per, from: string, names: readonly string[], ends: readonly string[]];

const edges: readonly Edge[] = [
  ["an hour", "UTC", "hour", "2025-10-26T01:30Z", ["2025-10-26T01+00:00"], ["2025-10-26T02:00Z"]],
  ["a day", "UTC", "day", "2025-10-26T01:30Z", ["2025-10-26"], ["2025-10-27T00:00Z"]],
  ["a month", "UTC", "month", "2024-02-26T01:30Z", ["2024-02"], ["2024-03-01T00:00Z"]],
  [
    "the turn of a year",
    "America/New_York",
    "month",
    "2025-12-31T23:30Z",
    ["2025-12", "2026-01"],
    ["2026-01-01T05:00Z", "2026-02-01T05:00Z"],
  ],
  ["a leap day", "Asia/Tokyo", "day", "2024-02-28T15:00Z", ["2024-02-29", "2024-03-01"], ["2024-02-29T15:00Z", "2024-03-01T15:00Z"]],
  [
    "a day of 23 hours",
    "Europe/Berlin",
    "day",
    "2025-03-29T23:00Z",
    ["2025-03-30", "2025-03-31"],
    ["2025-03-30T22:00Z", "2025-03-31T22:00Z"],
  ],
  [
    "a day of 25 hours",
    "Europe/Berlin",
    "day",
    "2025-10-25T22:00Z",
    ["2025-10-26", "2025-10-27"],
    ["2025-10-26T23:00Z", "2025-10-27T23:00Z"],
  ],
  [
    "a month with both offsets",
    "Europe/Berlin",
    "month",
    "2025-10-10T00:00Z",
    ["2025-10", "2025-11"],
    ["2025-10-31T23:00Z", "2025-11-30T23:00Z"],
  ],
  [
    "the hour that comes twice",
    "Europe/Berlin",
    "hour",
    "2025-10-26T00:00Z",
    ["2025-10-26T02+02:00", "2025-10-26T02+01:00", "2025-10-26T03+01:00"],
    ["2025-10-26T01:00Z", "2025-10-26T02:00Z", "2025-10-26T03:00Z"],
  ],
  [
    "the hour that is left out",
    "America/New_York",
    "hour",
    "2025-03-09T06:10Z",
    ["2025-03-09T01-05:00", "2025-03-09T03-04:00"],
    ["2025-03-09T07:00Z", "2025-03-09T08:00Z"],
  ],
  [
    "hours that begin at half past",
    "Asia/Kolkata",
    "hour",
    "2025-06-01T18:00Z",
    ["2025-06-01T23+05:30", "2025-06-02T00+05:30"],
    ["2025-06-01T18:30Z", "2025-06-01T19:30Z"],
  ],
  [
    "clocks put back by half an hour",
    "Australia/Lord_Howe",
    "hour",
    "2025-04-05T14:00Z",
    ["2025-04-06T01+11:00", "2025-04-06T01+10:30", "2025-04-06T02+10:30"],
    ["2025-04-05T15:00Z", "2025-04-05T15:30Z", "2025-04-05T16:30Z"],
  ],
  [
    "clocks put forward by half an hour",
    "Australia/Lord_Howe",
    "hour",
    "2025-10-04T15:00Z",
    ["2025-10-05T01+10:30", "2025-10-05T02+11:00", "2025-10-05T03+11:00"],
    ["2025-10-04T15:30Z", "2025-10-04T16:00Z", "2025-10-04T17:00Z"],
  ],
  [
    "a day without a midnight",
    "America/Sao_Paulo",
    "day",
    "2018-11-03T12:00Z",
    ["2018-11-03", "2018-11-04", "2018-11-05"],
    ["2018-11-04T03:00Z", "2018-11-05T02:00Z", "2018-11-06T02:00Z"],
  ],
  [
    "clocks put back from midnight to 23:00",
    "America/Sao_Paulo",
    "day",
    "2019-02-16T12:00Z",
    ["2019-02-16", "2019-02-17"],
    ["2019-02-17T03:00Z", "2019-02-18T03:00Z"],
  ],
  [
    "clocks put back past midnight: the new day goes on",
    "America/St_Johns",
    "day",
    "2010-11-06T12:00Z",
    ["2010-11-06", "2010-11-07", "2010-11-08"],
    ["2010-11-07T02:30Z", "2010-11-08T03:30Z", "2010-11-09T03:30Z"],
  ],
  [
    "clocks put back past midnight: the new month goes on",
    "America/St_Johns",
    "month",
    "2009-10-06T12:00Z",
    ["2009-10", "2009-11", "2009-12"],
    ["2009-11-01T02:30Z", "2009-12-01T03:30Z", "2010-01-01T03:30Z"],
  ],
  [
    "clocks put back past midnight: hours as shown",
    "America/St_Johns",
    "hour",
    "2010-11-07T02:00Z",
    ["2010-11-06T23-02:30", "2010-11-07T00-02:30", "2010-11-06T23-03:30", "2010-11-07T00-03:30"],
    ["2010-11-07T02:30Z", "2010-11-07T02:31Z", "2010-11-07T03:30Z", "2010-11-07T04:30Z"],
  ],
  [
    "a day that never was",
    "Pacific/Apia",
    "day",
    "2011-12-29T10:00Z",
    ["2011-12-29", "2011-12-31", "2012-01-01"],
    ["2011-12-30T10:00Z", "2011-12-31T10:00Z", "2012-01-01T10:00Z"],
  ],
  [
    "a day that came almost twice",
    "Pacific/Kwajalein",
    "day",
    "1969-09-29T13:00Z",
    ["1969-09-30", "1969-10-01"],
    ["1969-10-01T12:00Z", "1969-10-02T12:00Z"],
  ],
  ["offsets with seconds", "Africa/Monrovia", "hour", "1972-01-06T22:50Z", ["1972-01-06T22-00:44:30"], ["1972-01-06T23:44:30.000Z"]],
];

describe("calendar windows", () => {
  test.each(edges)("%s (%s, %s)", (_, zone, per, from, names, ends) => {
    const windows = make({ per, zone });
    const found = [];
    for (let time = Date.parse(from); found.length < names.length; ) {
      const { name, also, resetsAt = Number.NaN, until } = windows.at(time);
      expect({ also, until }).toEqual({ also: [], until: resetsAt + dayMs });
      found.push({ name, end: iso(resetsAt) });
      time = resetsAt;
    }
    expect(found).toEqual(names.map((name, position) => ({ name, end: ends[position] })));
  });

  const zones = fc.constantFrom(
    "UTC",
    "Africa/Casablanca",
    "America/St_Johns",
    "America/Nuuk",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
  );
  const instants = fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(2100, 0, 1) });
  const shares = fc.array(share, { minLength: 1, maxLength: 6 });
  const units = fc.constantFrom<("hour" | "day" | "month")[]>("hour", "day", "month");

  /** When clocks were moved somewhere: days on which random instants would hardly ever fall. */
  const moves = fc.constantFrom(
    ...["2009-11-01T02:31Z", "2010-11-07T02:31Z", "2011-12-30T10:00Z", "2024-10-27T01:00Z", "2024-04-06T15:00Z", "2025-03-30T01:00Z"].map(
      (text) => Date.parse(text),
    ),
  );
  const nearMoves = fc.tuple(moves, fc.integer({ min: -26 * hourMs, max: 26 * hourMs })).map(([at, by]) => at + by);

  test("keep their name to their end and not a millisecond longer, leave no gap, and never come again", () => {
    fc.assert(
      fc.property(zones, units, fc.oneof(instants, nearMoves), shares, (zone, per, start, inside) => {
        const windows = make({ per, zone });
        const names: string[] = [];
        for (let from = start; names.length < 4; ) {
          const { name, resetsAt = Number.NaN } = windows.at(from);
          const within = inside.map((part) => from + Math.floor(part * (resetsAt - from)));
          // Asked afresh, so that nothing is remembered.
          for (const time of [from, ...within, resetsAt - 1]) expect(make({ per, zone }).at(time)).toMatchObject({ name, resetsAt });
          expect(resetsAt).toBeGreaterThan(from);
          names.push(name);
          from = resetsAt;
        }
        expect(new Set(names).size).toBe(4);
      }),
      { numRuns: 150 },
    );
  });

  test("answer the same whatever was asked before, also when time goes back", () => {
    fc.assert(
      fc.property(units, fc.array(fc.oneof(nearMoves, instants), { maxLength: 12 }), (per, times) => {
        const windows = make({ per, zone: "America/St_Johns" });
        for (const time of times) expect(windows.at(time)).toEqual(make({ per, zone: "America/St_Johns" }).at(time));
      }),
    );
  });

  test("are found once for all times within", () => {
    const windows = make({ per: "day", zone: "Europe/Berlin" });
    const [noon, end] = [Date.parse("2025-06-01T10:00Z"), Date.parse("2025-06-01T22:00Z")];
    const found = windows.at(noon);
    expect(windows.at(end - 1)).toBe(found);
    expect(windows.at(end)).not.toBe(found);
    expect(windows.at(noon + 0.5)).toEqual(found);
  });
});

describe("rolling windows", () => {
  const lengths = fc.oneof(fc.integer({ min: 1_000, max: 5_000 }), fc.constantFrom(60_000, hourMs + 1, 30 * dayMs, 3_653 * dayMs));

  test("are cut into twelve parts, rounded up to whole milliseconds", () => {
    const at = make({ per: { rollingMs: 1_000 } }).at(84_000);
    const also = ["1001", ...Array.from({ length: 12 }, (_, position) => `${999 - position}`)];
    expect(at).toEqual({ name: "1000", also, resetsAt: 84_084, until: 84_000 + 14 * 84 });
    expect(make({ per: { rollingMs: 1_000 } }).at(84_083)).toEqual(at);
    expect(make({ per: { rollingMs: 1_000 } }).at(84_084).name).toBe("1001");
  });

  test("allow no more than the limit in any stretch of that length", () => {
    const steps = fc.array(fc.tuple(share, fc.integer({ min: 1, max: 4 })), { minLength: 40, maxLength: 80 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), steps, (rollingMs, start, asked) => {
        const windows = make({ per: { rollingMs } });
        const [limit, used] = [10, new Map<string, number>()];
        const granted: { readonly at: number; readonly amount: number }[] = [];
        let now = start;
        for (const [wait, amount] of asked) {
          now += Math.floor(0.3 * wait * rollingMs);
          const { name, also } = windows.at(now);
          const standing = [name, ...also].reduce((sum, key) => sum + (used.get(key) ?? 0), 0);
          if (standing + amount > limit) continue;
          used.set(name, (used.get(name) ?? 0) + amount);
          granted.push({ at: now, amount });
        }
        for (const { at } of granted) {
          const within = granted.filter((one) => one.at > at - rollingMs && one.at <= at);
          expect(within.reduce((sum, { amount }) => sum + amount, 0)).toBeLessThanOrEqual(limit);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("look at everything younger than that, at nothing a part older, and at no part after its `until`", () => {
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), share, (rollingMs, then, wait) => {
        const windows = make({ per: { rollingMs } });
        const part = windows.at(then);
        const now = then + Math.floor(2 * wait * rollingMs);
        const { name, also } = windows.at(now);
        const looksAtIt = [name, ...also].includes(part.name);
        if (now - then < rollingMs) expect(looksAtIt).toBe(true);
        if (looksAtIt) expect(now).toBeLessThan(Number(part.until));
        const partMs = Math.ceil(rollingMs / 12);
        if (now - then > rollingMs + 12 + partMs) expect(looksAtIt).toBe(false);
        expect(Number(part.until)).toBeLessThanOrEqual(Number(part.resetsAt) + rollingMs + 12 + partMs);
        // A process whose clock is behind, or that takes its time, sees what others have counted already.
        expect(also).toContain(windows.at(Math.floor(now / partMs + 1) * partMs).name);
      }),
    );
  });
});

test("without `per` there is one window, which does not end", () => {
  const windows = make({});
  expect(windows.at(0)).toEqual({ name: "ever", also: [] });
  expect(windows.at(Date.UTC(2100, 0, 1))).toBe(windows.at(0));
});

test("the label says what there is to say, the same for every spelling of a zone", () => {
  const labels = [
    {},
    { per: "day" },
    { per: "day", zone: "utc" },
    { per: "month", zone: "europe/BERLIN" },
    { per: { rollingMs: 60_000 } },
  ] as const;
  expect(labels.map((options) => make(options).label)).toEqual(["ever", "day UTC", "day UTC", "month Europe/Berlin", "rolling 60000"]);
});

describe("refuses", () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["a zone there is not", { per: "day", zone: "Mars/Olympus" }, "zone"],
    ["an empty zone", { per: "day", zone: "" }, "zone"],
    ["a zone that is no text", { per: "day", zone: 1 }, "zone"],
    ["such a zone where it would not matter", { zone: "Mars/Olympus" }, "zone"],
    ["a unit there is not", { per: "week" }, "per"],
    ["nothing in place of a unit", { per: null }, "per"],
    ["a list", { per: ["rollingMs"] }, "per"],
    ["no length", { per: {} }, "per"],
    ["a length as text", { per: { rollingMs: "60000" } }, "per"],
    ["a length too short", { per: { rollingMs: 999 } }, "per"],
    ["a length too long", { per: { rollingMs: 3_653 * dayMs + 1 } }, "per"],
    ["a length with a fraction", { per: { rollingMs: 1_000.5 } }, "per"],
    ["a length without end", { per: { rollingMs: Number.POSITIVE_INFINITY } }, "per"],
    ["a length and something else", { per: { rollingMs: 60_000, zone: "UTC" } }, "per"],
  ];

  test.each(wrong)("%s", (_, options, name) => {
    expect(() => Reflect.apply(make, undefined, [options])).toThrow(
      expect.objectContaining({
        code: "configuration_invalid",
        message: expect.stringContaining(`The limit cannot use what was given as "${name}"`),
      }),
    );
  });
});
