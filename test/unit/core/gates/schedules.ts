import fc from 'fast-check';

/** A schedule, and by itself the numbers that each of its fields means. */
export interface GeneratedSchedule {
  readonly text: string;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly monthDays: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekDays: ReadonlySet<number>;
  readonly anyMonthDay: boolean;
  readonly anyWeekDay: boolean;
}

/** What a clock on a wall of some zone shows. */
export interface WallTime {
  readonly minute: number;
  readonly hour: number;
  readonly monthDay: number;
  readonly month: number;
  readonly weekDay: number;
}

interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
  readonly star: boolean;
}

/** Numbers from `low` to `high` in steps, written out by counting alone. */
function counted(low: number, high: number, step = 1): Set<number> {
  return new Set(
    Array.from({ length: high - low + 1 }, (_, index) => low + index).filter(
      (value) => (value - low) % step === 0,
    ),
  );
}

function star(low: number, high: number): fc.Arbitrary<Field> {
  return fc.constant({ text: '*', values: counted(low, high), star: true });
}

function some(low: number, high: number): fc.Arbitrary<Field> {
  const value = fc.integer({ min: low, max: high });
  return fc.oneof(
    fc.integer({ min: 2, max: high - low }).map((step) => ({
      text: `*/${step}`,
      values: counted(low, high, step),
      star: false,
    })),
    fc.uniqueArray(value, { minLength: 1, maxLength: 3 }).map((values) => ({
      text: values.join(','),
      values: new Set(values),
      star: false,
    })),
    fc.tuple(value, value, fc.integer({ min: 1, max: 4 })).map(([one, other, step]) => {
      const [from, to] = [Math.min(one, other), Math.max(one, other)];
      const text = step === 1 ? `${from}-${to}` : `${from}-${to}/${step}`;
      return { text, values: counted(from, to, step), star: false };
    }),
  );
}

function mostly(often: fc.Arbitrary<Field>, seldom: fc.Arbitrary<Field>): fc.Arbitrary<Field> {
  return fc.oneof({ arbitrary: often, weight: 3 }, { arbitrary: seldom, weight: 1 });
}

/** Schedules that start at least now and then, and rather at night, when clocks are changed. */
export const anySchedule: fc.Arbitrary<GeneratedSchedule> = fc
  .tuple(
    mostly(some(0, 59), star(0, 59)),
    mostly(some(0, 4), fc.oneof(some(0, 23), star(0, 23))),
    mostly(star(1, 31), some(1, 28)),
    mostly(star(1, 12), some(1, 12)),
    mostly(star(0, 6), some(0, 6)),
  )
  .map(([minute, hour, monthDay, month, weekDay]) => ({
    text: [minute, hour, monthDay, month, weekDay].map(({ text }) => text).join(' '),
    minutes: minute.values,
    // A stepped star over the first hours of the day means all hours of the day.
    hours: hour.text.startsWith('*/')
      ? counted(0, 23, Number(hour.text.slice('*/'.length)))
      : hour.values,
    monthDays: monthDay.text.startsWith('*/')
      ? counted(1, 31, Number(monthDay.text.slice('*/'.length)))
      : monthDay.values,
    months: month.values,
    weekDays: weekDay.values,
    anyMonthDay: monthDay.star,
    anyWeekDay: weekDay.star,
  }));

/** Whether a schedule starts at a minute, by the words of part B 1.2. */
export function starts(schedule: GeneratedSchedule, wall: WallTime): boolean {
  const { minutes, hours, months, monthDays, weekDays } = schedule;
  if (!minutes.has(wall.minute) || !hours.has(wall.hour) || !months.has(wall.month)) return false;
  const byMonth = monthDays.has(wall.monthDay);
  const byWeek = weekDays.has(wall.weekDay);
  const either = !schedule.anyMonthDay && !schedule.anyWeekDay;
  return either ? byMonth || byWeek : byMonth && byWeek;
}

const weekDayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Reads the clocks of a zone, part by part. */
export function wallClock(timeZone: string): (at: number) => WallTime {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    return {
      minute: Number(parts.get('minute')),
      hour: Number(parts.get('hour')),
      monthDay: Number(parts.get('day')),
      month: Number(parts.get('month')),
      weekDay: weekDayNames.indexOf(parts.get('weekday') ?? ''),
    };
  };
}

/** Zones of many habits: half hours, changes at midnight, in Ramadan, of half an hour, and none. */
export const zones: readonly string[] = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Santiago',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Beirut',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
];

export const tenYears = {
  begin: Date.parse('2020-01-01T00:00:00Z'),
  end: Date.parse('2030-01-01T00:00:00Z'),
};

const day = 86_400_000;

/** The days of the ten years at whose noon (UTC) clocks show another time than the day before. */
export function changes(timeZone: string): number[] {
  const clock = wallClock(timeZone);
  const found: number[] = [];
  const shown = (at: number): number => clock(at).hour * 60 + clock(at).minute;
  const noon = tenYears.begin + day / 2;
  for (let at = noon; at < tenYears.end; at += day) {
    if (shown(at) !== shown(at - day)) found.push(at);
  }
  return found;
}
