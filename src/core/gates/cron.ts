import { CronExpressionParser } from 'cron-parser';
import { type Duration, type Instant, instant, milliseconds } from '../time.ts';
import { shapeOf } from '../validate/field-path.ts';
import { type CronCalendar, calendarOf, dayLength, firstWall, lastWall } from './cron-calendar.ts';
import { readCronText } from './cron-text.ts';
import { findTimeZone, type TimeZone } from './time-zone.ts';

/** When something starts, again and again. */
export interface CronSchedule {
  readonly kind: 'Schedule';
  readonly zone: TimeZone;
  readonly calendar: CronCalendar;
}

/** Why a text is no schedule, and what to do; the text itself is not repeated. */
export interface CronProblem {
  readonly kind: 'Problem';
  readonly field: 'schedule' | 'timeZone';
  readonly message: string;
}

/** A schedule without a start within five years has none. */
export const farthest: Duration = milliseconds(5 * 366 * dayLength);

/** Schedules that are remembered; there are hardly more in one cluster. */
const mostKept = 1_000;

/** Longer texts are refused at a glance and not kept. */
const longestKept = 2_048;

const kept = new Map<string, CronSchedule | CronProblem>();

/**
 * Reads a schedule of five fields in the grammar of part B 1.2. Its clock is that of `timeZone`, UTC
 * where that is absent or empty, unless the text begins with `TZ=` or `CRON_TZ=`.
 */
export function parseSchedule(
  text: string,
  timeZone: string | undefined,
): CronSchedule | CronProblem {
  const key = `${timeZone ?? ''}\n${text}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const parsed = parse(text, timeZone ?? '');
  if (key.length > longestKept) return parsed;
  if (kept.size >= mostKept) kept.clear();
  kept.set(key, parsed);
  return parsed;
}

function parse(text: string, timeZone: string): CronSchedule | CronProblem {
  const given = findTimeZone(timeZone === '' ? 'UTC' : timeZone);
  if (given === undefined) return zoneProblem('timeZone', `is ${shapeOf(timeZone)}`);
  const read = readCronText(text);
  if ('message' in read) return { kind: 'Problem', field: 'schedule', message: read.message };
  const zone = read.timeZone === undefined ? given : findTimeZone(read.timeZone);
  if (zone === undefined) {
    return zoneProblem('schedule', `has ${shapeOf(read.timeZone)} behind TZ=`);
  }
  const { fields } = CronExpressionParser.parse(read.fields.join(' '), { tz: 'UTC' });
  const calendar = calendarOf({
    minutes: fields.minute.values,
    hours: fields.hour.values,
    monthDays: fields.dayOfMonth.values.filter((value) => typeof value === 'number'),
    months: fields.month.values,
    weekDays: fields.dayOfWeek.values.filter((value) => typeof value === 'number'),
    match: read.match,
  });
  return { kind: 'Schedule', zone, calendar };
}

function zoneProblem(field: CronProblem['field'], found: string): CronProblem {
  const message =
    `${found}, which is no IANA time zone; ` +
    'give one such as Europe/Berlin, or leave it out for UTC';
  return { kind: 'Problem', field, message };
}

/**
 * The first start after `after` and before `until`. While clocks do not change, wall times and
 * instants run alike: so a start in an hour that is skipped does not happen that day, and one in an
 * hour that comes twice happens twice (part B 1.3).
 */
export function firstStart(
  { zone, calendar }: CronSchedule,
  after: Instant,
  until: Instant,
): Instant | undefined {
  let from = Math.floor(after) + 1;
  while (from < until) {
    const span = zone.spanAt(instant(from));
    const end = Math.min(span.until, until);
    const wall = firstWall(calendar, from + span.offset, end + span.offset);
    if (wall !== undefined) return instant(wall - span.offset);
    from = end;
  }
  return undefined;
}

/** The last start at or before `at` and after `after`. */
export function lastStart(
  { zone, calendar }: CronSchedule,
  at: Instant,
  after: Instant,
): Instant | undefined {
  const from = Math.floor(after) + 1;
  let until = Math.floor(at) + 1;
  while (until > from) {
    const span = zone.spanAt(instant(until - 1));
    const begin = Math.max(span.from, from);
    const wall = lastWall(calendar, begin + span.offset, until + span.offset);
    if (wall !== undefined) return instant(wall - span.offset);
    until = begin;
  }
  return undefined;
}

/** The starts after an instant, in order; it ends when there is none for five years. */
export function* startsAfter(schedule: CronSchedule, at: Instant): Generator<Instant, void> {
  let last = at;
  for (;;) {
    const next = firstStart(schedule, last, instant(last + farthest));
    if (next === undefined) return;
    yield next;
    last = next;
  }
}

/**
 * Until when something is open without a break that opens at each start for `duration`, and opened
 * at `start`; undefined where no end is found before `horizon`. It takes one step a day at most, or
 * one a start where the pauses within a day are longer than the duration, and so end it that day.
 */
export function coveredUntil(
  schedule: CronSchedule,
  start: Instant,
  duration: Duration,
  horizon: Instant,
): Instant | undefined {
  const bridgesDay = duration >= schedule.calendar.longestPause;
  let last = start;
  for (;;) {
    if (bridgesDay) last = lastOfDay(schedule, last);
    const end = instant(last + duration);
    if (end > horizon) return undefined;
    const next = lastStart(schedule, end, last);
    if (next === undefined) return end;
    last = next;
  }
}

/** The last start of the same day on the wall, or the last one before clocks change on it. */
function lastOfDay(schedule: CronSchedule, start: Instant): Instant {
  const { until, offset } = schedule.zone.spanAt(start);
  const wall = start + offset;
  const nextDay = (Math.floor(wall / dayLength) + 1) * dayLength - offset;
  return lastStart(schedule, instant(Math.min(until, nextDay) - 1), start) ?? start;
}
