import type { UpdateWindow } from '../../types/stages.ts';
import { parseDuration } from '../duration.ts';
import { TerminalError } from '../errors.ts';
import { type Duration, type Instant, instant, milliseconds } from '../time.ts';
import { cut, shapeOf } from '../validate/field-path.ts';
import { formats } from '../validate/formats.ts';
import {
  type CronSchedule,
  coveredUntil,
  farthest,
  firstStart,
  lastStart,
  parseSchedule,
} from './cron.ts';

/** When a window is active. */
export type WindowTimes =
  | { readonly kind: 'Recurring'; readonly schedule: CronSchedule; readonly duration: Duration }
  | { readonly kind: 'Absolute'; readonly from: Instant; readonly to: Instant };

/** What is wrong with one window. */
export interface WindowFault {
  readonly kind: 'Fault';
  /** The field of the window; undefined where it is the window as a whole. */
  readonly field: 'schedule' | 'duration' | 'timeZone' | 'from' | 'to' | undefined;
  /** What is wrong, the shape that was found, and what to do. */
  readonly message: string;
}

/** Stands for an instant that never comes, or that is not known: it is later than all others. */
export const never: Instant = instant(Number.POSITIVE_INFINITY);

/** Reads a window; an empty text is an absent one (part B 1.1). */
export function readWindow(window: UpdateWindow): WindowTimes | WindowFault {
  const recurring = isSet(window.schedule) || isSet(window.duration);
  const absolute = isSet(window.from) || isSet(window.to);
  if (recurring && absolute) {
    return fault(
      undefined,
      'has fields of both forms; give either schedule and duration, or from and to',
    );
  }
  if (recurring) return readRecurring(window);
  if (absolute) return readAbsolute(window);
  return fault(undefined, 'says not when; give schedule and duration, or from and to');
}

function readRecurring(window: UpdateWindow): WindowTimes | WindowFault {
  const { schedule = '', duration = '', timeZone } = window;
  if (schedule === '') {
    return fault('schedule', 'is missing; say when the window opens, such as 0 22 * * MON-FRI');
  }
  if (duration === '') {
    return fault('duration', 'is missing; say how long the window stays open, such as 4h');
  }
  const parsed = parseSchedule(schedule, timeZone);
  if (parsed.kind === 'Problem') return fault(parsed.field, parsed.message);
  const length = readDuration(duration);
  if (typeof length === 'string') return fault('duration', length);
  return { kind: 'Recurring', schedule: parsed, duration: length };
}

/** The duration in whole milliseconds, as starts are whole ones; or what is wrong with it. */
function readDuration(text: string): Duration | string {
  try {
    const duration = parseDuration(text);
    if (duration > 0) return milliseconds(Math.ceil(duration));
    return 'is not longer than zero; say how long the window stays open, such as 4h';
  } catch (error) {
    if (error instanceof TerminalError) return error.message;
    throw error;
  }
}

function readAbsolute({ from = '', to = '' }: UpdateWindow): WindowTimes | WindowFault {
  if (from === '') return fault('from', `is missing; say when the window begins, ${exampleTime}`);
  if (to === '') return fault('to', `is missing; say when the window ends, ${exampleTime}`);
  const begin = readTime(from);
  if (begin === undefined) return fault('from', noTime(from));
  const end = readTime(to);
  if (end === undefined) return fault('to', noTime(to));
  if (end > begin) return { kind: 'Absolute', from: begin, to: end };
  return fault('to', 'is not later than from; a window ends after it begins');
}

const exampleTime = 'such as 2030-12-20T00:00:00Z';

function readTime(text: string): Instant | undefined {
  if (!formats['date-time'].validate(text)) return undefined;
  return instant(Date.parse(text.toUpperCase().replace(',', '.')));
}

function noTime(text: string): string {
  return `is ${shapeOf(text)}, which is no time of RFC 3339; give one ${exampleTime}`;
}

function isSet(text: string | undefined): boolean {
  return text !== undefined && text !== '';
}

function fault(field: WindowFault['field'], message: string): WindowFault {
  return { kind: 'Fault', field, message };
}

/**
 * Until when the window is active that is active at that instant: `never` where it is so for five
 * years at least. Undefined where it is not active. The start counts, the end does not.
 */
export function activeUntil(times: WindowTimes, at: Instant): Instant | undefined {
  if (times.kind === 'Absolute') return at >= times.from && at < times.to ? times.to : undefined;
  const start = newestStart(times, at);
  if (start === undefined) return undefined;
  return coveredUntil(times.schedule, start, times.duration, instant(at + farthest)) ?? never;
}

export function isActive(times: WindowTimes, at: Instant): boolean {
  if (times.kind === 'Absolute') return at >= times.from && at < times.to;
  return newestStart(times, at) !== undefined;
}

/** When a window opens next: the first start after that instant, `never` where there is none. */
export function nextOpening(times: WindowTimes, at: Instant): Instant {
  if (times.kind === 'Absolute') return at < times.from ? times.from : never;
  return firstStart(times.schedule, at, instant(at + farthest)) ?? never;
}

/** The newest start that still holds the window open. */
function newestStart(
  { schedule, duration }: Extract<WindowTimes, { kind: 'Recurring' }>,
  at: Instant,
): Instant | undefined {
  return lastStart(schedule, at, instant(at - Math.min(duration, farthest)));
}

/** The window as a person knows it from the spec: `Deny "0 22 * * FRI" for 48h (Europe/Berlin)`. */
export function describeWindow({
  type,
  schedule,
  duration,
  timeZone,
  from,
  to,
}: UpdateWindow): string {
  if (schedule === undefined || schedule === '') return `${type} from ${from ?? ''} to ${to ?? ''}`;
  const zone = timeZone === undefined || timeZone === '' ? 'UTC' : timeZone;
  const own = /^\s*(?:CRON_)?TZ=/.test(schedule) ? '' : ` (${zone})`;
  return `${type} "${cut(schedule.trim())}" for ${duration ?? ''}${own}`;
}
