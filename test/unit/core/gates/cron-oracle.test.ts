import { expect } from 'chai';
import { Cron } from 'croner';
import fc from 'fast-check';
import {
  type CronSchedule,
  firstStart,
  lastStart,
  parseSchedule,
} from '../../../../src/core/gates/cron.ts';
import { type Instant, instant } from '../../../../src/core/time.ts';
import { anySchedule, changes, starts, tenYears, wallClock, zones } from './schedules.ts';

const minute = 60_000;
const day = 86_400_000;

function scheduleOf(text: string, zone: string): CronSchedule {
  const schedule = parseSchedule(text, zone);
  if (schedule.kind === 'Problem') throw new Error(`${text}: ${schedule.message}`);
  return schedule;
}

/** The starts in a stretch, first to last; the first ones of very many. */
function ahead(schedule: CronSchedule, from: number, until: number, most = 5_000): number[] {
  const found: number[] = [];
  let last = from - 1;
  while (found.length < most) {
    const next = firstStart(schedule, instant(last), instant(until));
    if (next === undefined) return found;
    found.push(next);
    last = next;
  }
  return found;
}

/** The same, looked for from the end. */
function back(schedule: CronSchedule, from: number, until: number): number[] {
  const found: number[] = [];
  let at: Instant | undefined = instant(until - 1);
  for (;;) {
    at = lastStart(schedule, at, instant(from - 1));
    if (at === undefined) return found.reverse();
    found.push(at);
    at = instant(at - 1);
  }
}

function written(instants: readonly number[]): string[] {
  return instants.map((at) => new Date(at).toISOString());
}

/** What croner finds; it has another rule for what falls into a change of the clocks. */
function byCroner(text: string, timezone: string, from: number, until: number): number[] {
  const cron = new Cron(text, { timezone, paused: true, mode: '5-part' });
  const found: number[] = [];
  let last = new Date(from - 1);
  for (;;) {
    const next = cron.nextRun(last);
    if (next === null || next.getTime() >= until) return found;
    found.push(next.getTime());
    last = next;
  }
}

describe('the starts of a schedule', () => {
  for (const zone of zones) {
    const changed = changes(zone);
    const isNearChange = (at: number): boolean =>
      changed.some((near) => Math.abs(near - at) < 2 * day);

    it(`are those that croner finds in ${zone}, in ten years, while clocks do not change`, () => {
      const from = fc.integer({ min: tenYears.begin / minute, max: tenYears.end / minute });
      const span = fc.constantFrom(day, 30 * day, 400 * day);
      fc.assert(
        fc.property(anySchedule, from, span, (generated, at, wanted) => {
          const schedule = scheduleOf(generated.text, zone);
          const begin = at * minute;
          // Nobody has looked at what clocks do behind the ten years.
          const length = Math.min(wanted, tenYears.end - begin);
          // A hundred starts of one that starts each minute are as good as all of them.
          const first = ahead(schedule, begin, begin + length, 100);
          const last = first.length < 100 ? begin + length : (first.at(-1) ?? begin);
          const all = first.filter((start) => start < last);
          expect(written(back(schedule, begin, last))).to.deep.equal(written(all));
          const ours = all.filter((start) => !isNearChange(start));
          const theirs = byCroner(generated.text, zone, begin, last);
          expect(written(ours)).to.deep.equal(
            written(theirs.filter((start) => !isNearChange(start))),
          );
        }),
        { numRuns: 25 },
      );
    });

    it(`are those minutes of ${zone} at which its clocks show them, around each change`, () => {
      const clock = wallClock(zone);
      const looked = changed.length > 0 ? changed : [tenYears.begin + day];
      // Each change is long to look at; each of ten years comes up in some run.
      const some = fc.sample(fc.constantFrom(...looked), 4);
      for (const near of some) {
        const from = near - 30 * 60 * minute;
        const minutes = Array.from({ length: 42 * 60 }, (_, index) => {
          const at = from + index * minute;
          return { at, wall: clock(at) };
        });
        const until = from + minutes.length * minute;
        fc.assert(
          fc.property(anySchedule, (generated) => {
            const schedule = scheduleOf(generated.text, zone);
            const expected = minutes.filter(({ wall }) => starts(generated, wall));
            const wanted = written(expected.map(({ at }) => at));
            expect(written(ahead(schedule, from, until))).to.deep.equal(wanted);
            expect(written(back(schedule, from, until))).to.deep.equal(wanted);
          }),
          { numRuns: 25 },
        );
      }
    });
  }
});
