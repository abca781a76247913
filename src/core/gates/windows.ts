import type { UpdateWindow } from '../../types/stages.ts';
import { type Instant, instant } from '../time.ts';
import {
  activeUntil,
  describeWindow,
  isActive,
  never,
  nextOpening,
  readWindow,
  type WindowFault,
  type WindowTimes,
} from './window.ts';

/** Whether windows permit delivery at an instant. */
export interface WindowsDecision {
  readonly kind: 'Decided';
  readonly allowed: boolean;
  /**
   * When the answer becomes the other one; undefined where that never happens, or not within the
   * bound of the search.
   */
  readonly nextChange: Instant | undefined;
  /** The window that the answer is due to; undefined where it is due to none being active. */
  readonly by: DecidingWindow | undefined;
}

export interface DecidingWindow {
  /** In the list of windows, from 0. */
  readonly index: number;
  readonly type: UpdateWindow['type'];
  readonly description: string;
}

/** The first window that cannot be understood: then none of them decides. */
export interface WindowsProblem {
  readonly kind: 'Problem';
  readonly index: number;
  readonly field: WindowFault['field'];
  readonly message: string;
}

interface Read {
  readonly window: DecidingWindow;
  readonly times: WindowTimes;
}

/** All windows of one list, read. */
interface Windows {
  readonly kind: 'Windows';
  readonly denies: readonly Read[];
  readonly allows: readonly Read[];
}

/**
 * Bounds the search for the next change: so many windows are looked at, but each at two boundaries
 * at least. Windows that a person would write need a few looks; those that open and close all the
 * time without any effect are given up.
 */
const mostLooks = 2_000;

/** Windows of one list. All of them are looked at, again and again. */
const mostWindows = 100;

/** The last one that RFC 3339 can write. */
const lastInstant = instant(Date.UTC(9999, 11, 31, 23, 59, 59));

/** Lists that were read, as long as somebody holds them: they are asked about at each look. */
const readLists = new WeakMap<readonly UpdateWindow[], Windows | WindowsProblem>();

/** The first window of the list that cannot be understood. */
export function windowsProblem(windows: readonly UpdateWindow[]): WindowsProblem | undefined {
  const read = readWindows(windows);
  return read.kind === 'Problem' ? read : undefined;
}

/**
 * Whether windows permit delivery: no Deny is active, and one Allow is, if there is any in the list
 * (part B 1.3). No window at all permits it.
 */
export function decideWindows(
  windows: readonly UpdateWindow[],
  at: Instant,
): WindowsDecision | WindowsProblem {
  const read = readWindows(windows);
  if (read.kind === 'Problem') return read;
  const allowed = isAllowed(read, at);
  const change = allowed ? closing(read, at) : opening(read, at);
  return {
    kind: 'Decided',
    allowed,
    nextChange: change > lastInstant ? undefined : change,
    by: decidedBy(read, at),
  };
}

function readWindows(windows: readonly UpdateWindow[]): Windows | WindowsProblem {
  const known = readLists.get(windows);
  if (known !== undefined) return known;
  const read = readAll(windows);
  readLists.set(windows, read);
  return read;
}

function readAll(windows: readonly UpdateWindow[]): Windows | WindowsProblem {
  const denies: Read[] = [];
  const allows: Read[] = [];
  for (const [index, window] of windows.entries()) {
    if (index >= mostWindows) return tooMany(windows.length);
    const times = readWindow(window);
    if (times.kind === 'Fault') {
      return { kind: 'Problem', index, field: times.field, message: times.message };
    }
    const { type } = window;
    const list = type === 'Deny' ? denies : allows;
    list.push({ window: { index, type, description: describeWindow(window) }, times });
  }
  return { kind: 'Windows', denies, allows };
}

function tooMany(count: number): WindowsProblem {
  const message = `is one of ${count} windows; at most ${mostWindows} are allowed`;
  return { kind: 'Problem', index: mostWindows, field: undefined, message };
}

function isAllowed({ denies, allows }: Windows, at: Instant): boolean {
  if (denies.some(({ times }) => isActive(times, at))) return false;
  return allows.length === 0 || allows.some(({ times }) => isActive(times, at));
}

/** The active Deny, or else the active Allow, the first in the list. */
function decidedBy({ denies, allows }: Windows, at: Instant): DecidingWindow | undefined {
  return [...denies, ...allows].find(({ times }) => isActive(times, at))?.window;
}

/** When what is allowed is no longer: a Deny begins, or the last Allow in a row ends. */
function closing(windows: Windows, at: Instant): Instant {
  const { denies, allows } = windows;
  const denied = earliest(denies.map(({ times }) => nextOpening(times, at)));
  if (allows.length === 0) return denied;
  let end = at;
  for (let steps = stepsOf(windows); steps > 0; steps -= 1) {
    const latest = latestEnd(allows, end);
    if (denied <= latest) return denied;
    if (latest === end) return end;
    end = latest;
  }
  return never;
}

/** When what is not allowed is so: no Deny is active any more, and an Allow is if there is any. */
function opening(windows: Windows, at: Instant): Instant {
  const { denies, allows } = windows;
  let next = at;
  // One that is still to come stays the next one of its window, and one that never comes does so.
  let openings = allows.map(() => at);
  for (let steps = stepsOf(windows); steps > 0; steps -= 1) {
    const undenied = latestEnd(denies, next);
    if (undenied > next) {
      next = undenied;
    } else {
      openings = openings.map((known, index) => openingAfter(next, known, allows[index]));
      next = earliest(openings);
    }
    if (next === never) return never;
    if (isAllowed(windows, next)) return next;
  }
  return never;
}

function openingAfter(at: Instant, known: Instant, allow: Read | undefined): Instant {
  return known > at || allow === undefined ? known : nextOpening(allow.times, at);
}

/** When the last of those ends that are active at that instant; itself where none is. */
function latestEnd(windows: readonly Read[], at: Instant): Instant {
  return instant(Math.max(at, ...windows.map(({ times }) => activeUntil(times, at) ?? at)));
}

function earliest(instants: readonly Instant[]): Instant {
  return instant(Math.min(never, ...instants));
}

function stepsOf({ denies, allows }: Windows): number {
  const count = denies.length + allows.length;
  return Math.max(2 * count + 2, Math.floor(mostLooks / count));
}

/** Path of the field that is wrong, such as `spec.updateWindows[1].schedule`. */
export function windowFaultPath({ index, field }: WindowsProblem): string {
  const window = `spec.updateWindows[${index}]`;
  return field === undefined ? window : `${window}.${field}`;
}
