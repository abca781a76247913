import { expect } from 'chai';
import { windowProblems } from '../../../../src/core/validate/windows.ts';
import type { UpdateWindow } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

type Fields = Omit<UpdateWindow, 'type'>;

function problemsOf(...windows: Fields[]): { path: string; message: string }[] {
  const updateWindows = windows.map((fields): UpdateWindow => ({ type: 'Deny', ...fields }));
  return windowProblems(specOf(['dev'], { updateWindows }));
}

const from = '2030-12-20T00:00:00Z';
const to = '2031-01-03T00:00:00Z';
const schedule = '0 22 * * MON-FRI';

describe('spec.updateWindows', () => {
  const accepted: [what: string, fields: Fields][] = [
    ['a schedule and a duration', { schedule, duration: '4h' }],
    ['a zone', { schedule, duration: '4h', timeZone: 'Europe/Berlin' }],
    ['an empty zone', { schedule, duration: '4h', timeZone: '' }],
    ['a prefix and another zone', { schedule: `TZ=Asia/Tokyo ${schedule}`, duration: '1h' }],
    ['a duration below a second', { schedule, duration: '5ms' }],
    ['a schedule that never starts', { schedule: '0 0 31 4 *', duration: '4h' }],
    ['two times', { from, to }],
    ['times with offsets', { from: '2030-12-20T00:00:00.5+01:00', to: '2030-12-20t00:00:00z' }],
    ['times and an unused zone', { from, to, timeZone: 'Europe/Berlin' }],
    ['times and an empty schedule', { from, to, schedule: '' }],
    ['times that are past', { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' }],
  ];
  for (const [what, fields] of accepted) {
    it(`may have ${what}`, () => {
      expect(problemsOf(fields)).to.deep.equal([]);
    });
  }

  const both = 'has fields of both forms; give either schedule and duration, or from and to';
  const refused: [what: string, fields: Fields, field: string, message: string][] = [
    ['nothing', {}, '', 'says not when; give schedule and duration, or from and to'],
    [
      'a zone alone',
      { timeZone: 'Europe/Berlin' },
      '',
      'says not when; give schedule and duration, or from and to',
    ],
    ['both forms', { schedule, duration: '4h', from, to }, '', both],
    ['a half of each form', { schedule, to }, '', both],
    ['a duration and times', { duration: '4h', from, to }, '', both],
    [
      'a schedule alone',
      { schedule },
      '.duration',
      'is missing; say how long the window stays open, such as 4h',
    ],
    [
      'a duration alone',
      { duration: '4h' },
      '.schedule',
      'is missing; say when the window opens, such as 0 22 * * MON-FRI',
    ],
    [
      'a begin alone',
      { from },
      '.to',
      'is missing; say when the window ends, such as 2030-12-20T00:00:00Z',
    ],
    [
      'an end alone',
      { to },
      '.from',
      'is missing; say when the window begins, such as 2030-12-20T00:00:00Z',
    ],
    [
      'no duration',
      { schedule, duration: '0s' },
      '.duration',
      'is not longer than zero; say how long the window stays open, such as 4h',
    ],
    [
      'a negative duration',
      { schedule, duration: '-4h' },
      '.duration',
      'is not longer than zero; say how long the window stays open, such as 4h',
    ],
    [
      'a duration of days',
      { schedule, duration: '2d' },
      '.duration',
      '"2d" is not a duration: "d" is no unit, only ns, us, ms, s, m or h are; give a duration such as 90s, 15m or 1h30m',
    ],
    [
      'an unknown zone',
      { schedule, duration: '4h', timeZone: 'Berlin' },
      '.timeZone',
      'is a string of 6 characters, which is no IANA time zone; give one such as Europe/Berlin, or leave it out for UTC',
    ],
    [
      'an unknown zone beside a known prefix',
      { schedule: `TZ=Asia/Tokyo ${schedule}`, duration: '4h', timeZone: 'Berlin' },
      '.timeZone',
      'is a string of 6 characters, which is no IANA time zone; give one such as Europe/Berlin, or leave it out for UTC',
    ],
    [
      'Sunday as 7',
      { schedule: '0 0 * * 7', duration: '4h' },
      '.schedule',
      'has a string of 1 character as its day of week, which is outside of 0 to 6 or SUN to SAT (Sunday is 0); write five fields, such as 0 22 * * MON-FRI',
    ],
    [
      'an end that is its begin',
      { from, to: from },
      '.to',
      'is not later than from; a window ends after it begins',
    ],
    [
      'an end before its begin',
      { from: to, to: from },
      '.to',
      'is not later than from; a window ends after it begins',
    ],
    [
      'a day that does not exist',
      { from: '2030-02-30T00:00:00Z', to },
      '.from',
      'is a string of 20 characters, which is no time of RFC 3339; give one such as 2030-12-20T00:00:00Z',
    ],
    [
      'a time without a zone',
      { from, to: '2031-01-03T00:00:00' },
      '.to',
      'is a string of 19 characters, which is no time of RFC 3339; give one such as 2030-12-20T00:00:00Z',
    ],
  ];
  for (const [what, fields, field, message] of refused) {
    it(`may not have ${what} (part B 1.1)`, () => {
      expect(problemsOf({ from, to }, fields)).to.deep.equal([
        { path: `spec.updateWindows[1]${field}`, message },
      ]);
    });
  }

  it('may not be relative to the moment that it is asked (gap: part B 1.2)', () => {
    const [problem, ...others] = problemsOf({ schedule: '@every 1h', duration: '4h' });
    expect(problem?.path).to.equal('spec.updateWindows[0].schedule');
    expect(problem?.message).to.match(/^begins with @every, .*; write the five fields, /);
    expect(others).to.deep.equal([]);
  });

  it('are told of by the first that is faulty', () => {
    const paths = problemsOf({ from, to }, { from }, {}).map(({ path }) => path);
    expect(paths).to.deep.equal(['spec.updateWindows[1].to']);
  });

  it('are at most 100', () => {
    const windows = (count: number): Fields[] =>
      Array.from({ length: count }, () => ({ from, to }));
    expect(problemsOf(...windows(100))).to.deep.equal([]);
    expect(problemsOf(...windows(101))).to.deep.equal([
      {
        path: 'spec.updateWindows[100]',
        message: 'is one of 101 windows; at most 100 are allowed',
      },
    ]);
  });
});
