import { expect } from 'chai';
import fc from 'fast-check';
import { decideWindows, type WindowsDecision } from '../../../../src/core/gates/windows.ts';
import { type Instant, instant } from '../../../../src/core/time.ts';
import type { UpdateWindow } from '../../../../src/types/stages.ts';
import { anySchedule, type GeneratedSchedule, starts, wallClock } from './schedules.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

interface Generated {
  readonly window: UpdateWindow;
  /** Undefined for an absolute window. */
  readonly schedule: GeneratedSchedule | undefined;
  readonly minutes: number;
}

const zones = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe'] as const;
const clocks = new Map(zones.map((zone) => [zone, wallClock(zone)]));

/** Windows around a month in which clocks are changed, of both kinds. */
const begin = Date.parse('2026-03-20T00:00:00Z');
const end = begin + 24 * day;

const type = fc.constantFrom('Allow' as const, 'Deny' as const);

const recurring: fc.Arbitrary<Generated> = fc
  .record({
    type,
    schedule: anySchedule,
    timeZone: fc.constantFrom(...zones),
    minutes: fc.constantFrom(1, 7, 30, 59, 60, 61, 240, 1440, 1500, 4320),
  })
  .map(({ schedule, minutes, ...rest }) => ({
    window: { ...rest, schedule: schedule.text, duration: `${minutes}m` },
    schedule,
    minutes,
  }));

const absolute: fc.Arbitrary<Generated> = fc
  .record({
    type,
    from: fc.integer({ min: 0, max: (24 * day) / minute }),
    minutes: fc.integer({ min: 1, max: (8 * day) / minute }),
  })
  .map(({ type, from, minutes }) => ({
    window: {
      type,
      from: new Date(begin + from * minute).toISOString(),
      to: new Date(begin + (from + minutes) * minute).toISOString(),
    },
    schedule: undefined,
    minutes,
  }));

/** For each minute whether the window is active, by marking what each start covers. */
function activity({ window, schedule, minutes }: Generated): Uint8Array {
  const marked = new Uint8Array((end - begin) / minute);
  const mark = (at: number): void => {
    const from = (at - begin) / minute;
    marked.fill(1, Math.max(0, from), Math.max(0, from + minutes));
  };
  if (schedule === undefined) {
    mark(Date.parse(window.from ?? ''));
    return marked;
  }
  const walls = wallsOf(window.timeZone ?? '');
  for (const { at, wall } of walls) if (starts(schedule, wall)) mark(at);
  return marked;
}

type Walls = { at: number; wall: ReturnType<ReturnType<typeof wallClock>> }[];
const walls = new Map<string, Walls>();

/** What the clocks show, from before the longest window that is on at the beginning. */
function wallsOf(zone: string): Walls {
  const known = walls.get(zone);
  if (known !== undefined) return known;
  const clock = clocks.get(zone as (typeof zones)[number]);
  if (clock === undefined) throw new Error(`no clock of ${zone}`);
  const first = begin - 4 * day;
  const count = (end - first) / minute;
  const found = Array.from({ length: count }, (_, index) => {
    const at = first + index * minute;
    return { at, wall: clock(at) };
  });
  walls.set(zone, found);
  return found;
}

function answers(generated: readonly Generated[]): boolean[] {
  const each = generated.map((one) => ({ type: one.window.type, active: activity(one) }));
  const denies = each.filter((one) => one.type === 'Deny');
  const allows = each.filter((one) => one.type === 'Allow');
  return Array.from({ length: (end - begin) / minute }, (_, index) => {
    if (denies.some(({ active }) => active[index] === 1)) return false;
    return allows.length === 0 || allows.some(({ active }) => active[index] === 1);
  });
}

function decide(windows: readonly UpdateWindow[], at: Instant): WindowsDecision {
  const decision = decideWindows(windows, at);
  if (decision.kind === 'Problem') throw new Error(decision.message);
  return decision;
}

describe('update windows of any kind', () => {
  it('answer as somebody would who looks at every minute, and change when that does', () => {
    const list = fc.array(fc.oneof({ arbitrary: recurring, weight: 3 }, absolute), {
      minLength: 1,
      maxLength: 4,
    });
    const looks = fc.array(fc.integer({ min: 0, max: (10 * day) / minute }), {
      minLength: 5,
      maxLength: 5,
    });
    fc.assert(
      fc.property(list, looks, fc.integer({ min: 0, max: 59_999 }), (generated, looked, offset) => {
        const expected = answers(generated);
        const windows = generated.map(({ window }) => window);
        for (const index of looked) {
          const { allowed, nextChange } = decide(windows, instant(begin + index * minute + offset));
          expect(allowed).to.equal(expected[index]);
          const change = expected.indexOf(!allowed, index);
          const found = nextChange === undefined || nextChange >= end ? -1 : nextChange;
          expect(found).to.equal(change === -1 ? -1 : begin + change * minute);
        }
      }),
      { numRuns: 80 },
    );
  });

  it('have changed when they say that they do, and not a millisecond before', () => {
    const list = fc.array(fc.oneof(recurring, absolute), { minLength: 1, maxLength: 3 });
    const from = fc.integer({ min: begin, max: begin + 3 * 365 * day });
    fc.assert(
      fc.property(list, from, (generated, at) => {
        const windows = generated.map(({ window }) => window);
        const now = decide(windows, instant(at));
        if (now.nextChange === undefined) return;
        expect(now.nextChange).to.be.greaterThan(at);
        expect(decide(windows, now.nextChange).allowed).to.equal(!now.allowed);
        expect(decide(windows, instant(now.nextChange - 1)).allowed).to.equal(now.allowed);
      }),
      { numRuns: 300 },
    );
  });
});
