// The stretch of time a limit is counted in: for ever, a calendar hour, day or month as the clocks of a zone show it, or the time just past.
import type { ErrorCode } from "../core/errors.ts";
import type { Window } from "../core/ledger.ts";
import { type Check, checkOptions, isRecord, isText, oneOf } from "../core/options.ts";

/** A calendar hour, day or month of a named zone, or the last so many milliseconds. */
export type Per = "hour" | "day" | "month" | { readonly rollingMs: number };

export interface WindowOptions {
  /** Absent: counted for ever. */
  readonly per?: Per;
  /** Of the IANA time zone database, for calendar windows; default "UTC". */
  readonly zone?: string;
}

export interface Windows {
  /** What the limit says about time, for a key that is the same in all its windows. */
  readonly label: string;
  at(now: number): Window;
}

type Unit = "hour" | "day" | "month";

/** One that ends. */
type Ending = Window & { readonly resetsAt: number };

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** No window lasts as long as this, not even where the clocks were once put back by most of a day. */
const longerThan: Readonly<Record<Unit, number>> = { hour: 2 * hourMs, day: 50 * hourMs, month: 33 * dayMs };

/** For how long a calendar window may still be asked for after its end: by late settles, and by processes whose clocks are slow. */
const graceMs = dayMs;

/** Into how many parts a rolling window is cut: with more of them it is more exact, and every hold has more keys to add up. */
const parts = 12;

const rollingFrom = 1_000;
const rollingTo = 3_653 * dayMs;

const ever: Window = { name: "ever", also: [] };

/** Throws `errorCode`, naming `where`, for an unknown zone, `per` or `rollingMs`. Looks at nothing else of what it is given. */
export function createWindows(options: WindowOptions, errorCode: ErrorCode, where: string): Windows {
  const { per, zone = "UTC" } = options;
  checkOptions(errorCode, where, { per, zone }, windowChecks);
  if (per === undefined) return { label: ever.name, at: () => ever };
  if (typeof per === "object") {
    const { rollingMs } = per;
    return { label: `rolling ${rollingMs}`, at: remembering((now) => rollingWindow(now, rollingMs)) };
  }
  const format = formatOf(zone);
  // The zone as the platform spells it: "utc" and "UTC" are one.
  return { label: `${per} ${format.resolvedOptions().timeZone}`, at: remembering(calendar(per, format)) };
}

/** Finds a window once for all times from the one it was found for to its end. */
function remembering(find: (now: number) => Ending): (now: number) => Window {
  let known: { readonly window: Ending; readonly from: number } | undefined;
  return (now) => {
    if (!known || now < known.from || now >= known.window.resetsAt) known = { window: find(now), from: now };
    return known.window;
  };
}

/**
 * A part counts with all of the parts before it that something younger than `rollingMs` may be in, and with the one after it: another
 * process's clock, or a slower way to the store, may have got there already. So up to one part more than that is counted, never less.
 */
function rollingWindow(now: number, rollingMs: number): Ending {
  const partMs = Math.ceil(rollingMs / parts);
  const index = Math.floor(now / partMs);
  return {
    name: `${index}`,
    also: [index + 1, ...Array.from({ length: parts }, (_, back) => index - back - 1)].map(String),
    resetsAt: (index + 1) * partMs,
    until: (index + parts + 2) * partMs,
  };
}

/** Windows end where their name changes, wherever that is: nothing is reckoned with the rules by which a zone puts its clocks. */
function calendar(unit: Unit, format: Intl.DateTimeFormat): (now: number) => Ending {
  const offsetAt = (time: number) => offsetOf(format, time);
  const nameAt = { hour: hourName, day: dayName, month: monthName }[unit];
  return (now) => {
    const resetsAt = firstChange((time) => nameAt(offsetAt, time), now, now + longerThan[unit]);
    return { name: nameAt(offsetAt, now), also: [], resetsAt, until: resetsAt + graceMs };
  };
}

/** How far the clocks of a zone are ahead of UTC, in ms. */
type OffsetAt = (time: number) => number;

/** With the offset, for in autumn an hour is shown twice. Where clocks move within an hour, each part of it is a window of its own. */
function hourName(offsetAt: OffsetAt, time: number): string {
  const offset = offsetAt(time);
  const size = new Date(Math.abs(offset)).toISOString().slice("1970-01-01T".length, -".000Z".length);
  return `${shown(time + offset, "2025-10-26T02")}${offset < 0 ? "-" : "+"}${size.replace(/:00$/, "")}`;
}

const dayName = (offsetAt: OffsetAt, time: number) => shown(latestShown(offsetAt, time), "2025-10-26");

const monthName = (offsetAt: OffsetAt, time: number) => shown(latestShown(offsetAt, time), "2025-10");

/** What a clock shows, as far as `like` goes. */
const shown = (local: number, like: string) => new Date(local).toISOString().slice(0, like.length);

/**
 * The latest that clocks have shown so far: a day that has begun does not end by putting them back past midnight (to 23:01 at 00:01, as in
 * St John's until 2011), else it would come twice. Clocks are put back by less than a day, and not twice in one.
 */
function latestShown(offsetAt: OffsetAt, time: number): number {
  const [before, offset] = [offsetAt(time - dayMs), offsetAt(time)];
  if (before <= offset) return time + offset;
  const putBackAt = firstChange(offsetAt, time - dayMs, time);
  return Math.max(time + offset, putBackAt - 1 + before);
}

/** The first whole millisecond after `from` at which something is not what it is then. It is not so at `to`, and never again before that. */
function firstChange(of: (time: number) => string | number, from: number, to: number): number {
  const value = of(from);
  let [same, changed] = [from, to];
  while (changed - same > 1) {
    const middle = Math.floor((same + changed) / 2);
    if (of(middle) === value) same = middle;
    else changed = middle;
  }
  return changed;
}

/**
 * What the clocks show, read as if it were UTC, less what it is in UTC: clocks and UTC agree on the milliseconds. Read from the text, which
 * is three times as fast as asking for its parts.
 */
function offsetOf(format: Intl.DateTimeFormat, time: number): number {
  const numbers = (format.format(time).match(/\d+/g) ?? []).map(Number);
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = numbers;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1_000) * 1_000;
}

/** Writes "10/26/2025, 02:00:00". */
const formatOf = (zone: string) =>
  new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });

const isZone: Check = (value) => {
  try {
    return isText(value) && formatOf(String(value)) !== undefined;
  } catch {
    return false;
  }
};

const isRolling: Check = (value) => Number.isInteger(value) && Number(value) >= rollingFrom && Number(value) <= rollingTo;

const isUnit = oneOf("hour", "day", "month");

const isPer: Check = (value) =>
  isUnit(value) ||
  (isRecord(value) && Object.keys(Object(value)).join() === "rollingMs" && isRolling(Reflect.get(Object(value), "rollingMs")));

/** Of `WindowOptions`, for whoever takes them with options of its own. */
export const windowChecks = {
  per: { holds: isPer, wanted: '"hour", "day", "month" or { rollingMs }, in whole milliseconds from 1,000 to ten years' },
  zone: { holds: isZone, wanted: 'a name of the IANA time zone database, such as "Europe/Berlin"' },
};
