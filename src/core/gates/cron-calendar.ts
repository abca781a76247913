/**
 * The starts of a schedule as a calendar and a clock on the wall show them. A wall time is written as
 * the milliseconds since the epoch that a clock of UTC would have to show the same: it is no instant,
 * and knows nothing of time zones.
 */
export interface CronCalendar {
  /** Minutes of a day, ascending and each once: the same on every day that matches. Never empty. */
  readonly times: readonly number[];
  /** Longest time between two of them, in milliseconds; 0 where there is one only. */
  readonly longestPause: number;
  /** Bit n is set for month n, 1 to 12. */
  readonly months: number;
  /** Bit n is set for day n of the month, 1 to 31. */
  readonly monthDays: number;
  /** Bit n is set for day n of the week, 0 (Sunday) to 6. */
  readonly weekDays: number;
  /** Whether a day must match by month and week, or by one of them: so where both are restricted. */
  readonly match: 'Both' | 'Either';
}

/** What the fields of a schedule allow. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly monthDays: readonly number[];
  readonly months: readonly number[];
  readonly weekDays: readonly number[];
  readonly match: CronCalendar['match'];
}

export const dayLength = 86_400_000;
const minuteLength = 60_000;

export function calendarOf(fields: CronFields): CronCalendar {
  const times = fields.hours
    .flatMap((hour) => fields.minutes.map((minute) => hour * 60 + minute))
    .sort((one, other) => one - other);
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return {
    times,
    longestPause: Math.max(0, ...pauses) * minuteLength,
    months: bits(fields.months),
    monthDays: bits(fields.monthDays),
    weekDays: bits(fields.weekDays),
    match: fields.match,
  };
}

/** The first start at or after `from` and before `until`. */
export function firstWall(calendar: CronCalendar, from: number, until: number): number | undefined {
  const day = Math.floor(from / dayLength);
  if (matches(calendar, new Date(day * dayLength))) {
    const minute = Math.ceil((from - day * dayLength) / minuteLength);
    const time = calendar.times[indexOfFirst(calendar.times, minute)];
    if (time !== undefined) return within(day, time, from, until);
  }
  const date = new Date((day + 1) * dayLength);
  const [earliest = 0] = calendar.times;
  while (date.getTime() < until) {
    if (!hasBit(calendar.months, date.getUTCMonth() + 1)) {
      date.setUTCMonth(date.getUTCMonth() + 1, 1);
    } else if (matches(calendar, date)) {
      return within(date.getTime() / dayLength, earliest, from, until);
    } else {
      date.setTime(date.getTime() + dayLength);
    }
  }
  return undefined;
}

/** The last start before `until` and at or after `from`. */
export function lastWall(calendar: CronCalendar, from: number, until: number): number | undefined {
  const day = Math.floor(until / dayLength);
  if (matches(calendar, new Date(day * dayLength))) {
    const minute = Math.ceil((until - day * dayLength) / minuteLength);
    const time = calendar.times[indexOfFirst(calendar.times, minute) - 1];
    if (time !== undefined) return within(day, time, from, until);
  }
  const date = new Date((day - 1) * dayLength);
  const latest = calendar.times.at(-1) ?? 0;
  while (date.getTime() + dayLength > from) {
    if (!hasBit(calendar.months, date.getUTCMonth() + 1)) {
      // Day 0 of a month is the last one of the month before.
      date.setUTCDate(0);
    } else if (matches(calendar, date)) {
      return within(date.getTime() / dayLength, latest, from, until);
    } else {
      date.setTime(date.getTime() - dayLength);
    }
  }
  return undefined;
}

function within(day: number, time: number, from: number, until: number): number | undefined {
  const wall = day * dayLength + time * minuteLength;
  return wall >= from && wall < until ? wall : undefined;
}

function matches({ months, monthDays, weekDays, match }: CronCalendar, date: Date): boolean {
  if (!hasBit(months, date.getUTCMonth() + 1)) return false;
  const byMonth = hasBit(monthDays, date.getUTCDate());
  const byWeek = hasBit(weekDays, date.getUTCDay());
  return match === 'Both' ? byMonth && byWeek : byMonth || byWeek;
}

/** Where the first time that is not before `minute` stands; behind the last one where there is none. */
function indexOfFirst(times: readonly number[], minute: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) < minute) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bits(values: readonly number[]): number {
  return values.reduce((all, value) => all | (1 << value), 0);
}

function hasBit(all: number, value: number): boolean {
  return ((all >>> value) & 1) === 1;
}
