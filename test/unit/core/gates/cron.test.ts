import { expect } from 'chai';
import {
  type CronSchedule,
  firstStart,
  lastStart,
  parseSchedule,
  startsAfter,
} from '../../../../src/core/gates/cron.ts';
import { type Instant, instant } from '../../../../src/core/time.ts';

function scheduleOf(text: string, zone?: string): CronSchedule {
  const schedule = parseSchedule(text, zone);
  if (schedule.kind === 'Problem') throw new Error(`${text}: ${schedule.message}`);
  return schedule;
}

function at(text: string): Instant {
  return instant(Date.parse(text));
}

function written(start: Instant | undefined): string {
  return start === undefined ? 'never' : new Date(start).toISOString().replace(':00.000', '');
}

/** The next starts after an instant. */
function next(text: string, zone: string | undefined, from: string, count: number): string[] {
  const found: string[] = [];
  for (const start of startsAfter(scheduleOf(text, zone), at(from))) {
    found.push(written(start));
    if (found.length === count) break;
  }
  return found;
}

const monday = '2026-06-01T00:00:00Z';

describe('a schedule of five fields', () => {
  const accepted: [text: string, why: string, starts: string[]][] = [
    ['0 22 * * *', 'a value', ['2026-06-01T22:00Z', '2026-06-02T22:00Z']],
    ['0 22 * * MON-FRI', 'names', ['2026-06-01T22:00Z', '2026-06-02T22:00Z']],
    ['0 22 * * mon,Wed', 'names in any case', ['2026-06-01T22:00Z', '2026-06-03T22:00Z']],
    ['0 0 1 jan,JUL *', 'names of months', ['2026-07-01T00:00Z', '2027-01-01T00:00Z']],
    ['*/20 * * * *', 'a step', ['2026-06-01T00:20Z', '2026-06-01T00:40Z']],
    ['10-30/10 5 * * *', 'a range with a step', ['2026-06-01T05:10Z', '2026-06-01T05:20Z']],
    ['50/5 5 * * *', 'a value with a step', ['2026-06-01T05:50Z', '2026-06-01T05:55Z']],
    ['0 0 * * FRI/1', 'to the last day of the week', ['2026-06-05T00:00Z', '2026-06-06T00:00Z']],
    ['0 0 * * 3/2', 'which is not Sunday', ['2026-06-03T00:00Z', '2026-06-05T00:00Z']],
    ['0,30,30 5 * * *', 'a value twice', ['2026-06-01T05:00Z', '2026-06-01T05:30Z']],
    ['1-3,2-4 5 * * *', 'ranges that overlap', ['2026-06-01T05:01Z', '2026-06-01T05:02Z']],
    ['*/99 5 * * *', 'a step over the end', ['2026-06-01T05:00Z', '2026-06-02T05:00Z']],
    ['05 05 01 07 *', 'leading zeros', ['2026-07-01T05:05Z', '2027-07-01T05:05Z']],
    ['? ? ? ? ?', 'question marks', ['2026-06-01T00:01Z', '2026-06-01T00:02Z']],
    ['  0\t22  * *   * ', 'blanks', ['2026-06-01T22:00Z', '2026-06-02T22:00Z']],
    ['0 0 29 2 *', 'leap days', ['2028-02-29T00:00Z']],
    ['@yearly', 'a descriptor', ['2027-01-01T00:00Z', '2028-01-01T00:00Z']],
    ['@annually', 'a descriptor', ['2027-01-01T00:00Z', '2028-01-01T00:00Z']],
    ['@monthly', 'a descriptor', ['2026-07-01T00:00Z', '2026-08-01T00:00Z']],
    ['@weekly', 'a descriptor', ['2026-06-07T00:00Z', '2026-06-14T00:00Z']],
    ['@daily', 'a descriptor', ['2026-06-02T00:00Z', '2026-06-03T00:00Z']],
    [' @midnight ', 'a descriptor', ['2026-06-02T00:00Z', '2026-06-03T00:00Z']],
    ['@hourly', 'a descriptor', ['2026-06-01T01:00Z', '2026-06-01T02:00Z']],
    ['TZ=Asia/Tokyo 0 9 * * *', 'a zone', ['2026-06-02T00:00Z', '2026-06-03T00:00Z']],
    ['CRON_TZ=Asia/Tokyo @daily', 'a zone', ['2026-06-01T15:00Z', '2026-06-02T15:00Z']],
  ];
  for (const [text, why, starts] of accepted) {
    it(`may be ${JSON.stringify(text)}, ${why}`, () => {
      expect(next(text, undefined, monday, starts.length)).to.deep.equal(starts);
    });
  }

  const days: [text: string, why: string, starts: string[]][] = [
    ['0 0 13 * FRI', 'either is enough', ['2026-06-05', '2026-06-12', '2026-06-13', '2026-06-19']],
    ['0 0 13 * *', 'a star asks for nothing', ['2026-06-13', '2026-07-13']],
    ['0 0 * * FRI', 'a star asks for nothing', ['2026-06-05', '2026-06-12']],
    ['0 0 ? * FRI', 'nor does a question mark', ['2026-06-05', '2026-06-12']],
    ['0 0 */10 * FRI', 'a star with a step restricts', ['2026-06-05', '2026-06-11', '2026-06-12']],
    ['0 0 */1 * FRI', 'with step 1 it does not', ['2026-06-05', '2026-06-12']],
    ['0 0 1,* * FRI', 'a star in a list is a star', ['2026-06-05', '2026-06-12']],
    ['0 0 1-31 * FRI', 'all days are no star', ['2026-06-02', '2026-06-03']],
  ];
  for (const [text, why, starts] of days) {
    it(`starts on these days with ${text}: ${why}`, () => {
      const found = next(text, undefined, monday, starts.length);
      expect(found).to.deep.equal(starts.map((start) => `${start}T00:00Z`));
    });
  }

  it('takes the zone of its prefix where another one is given beside it', () => {
    const starts = next('TZ=Asia/Tokyo 0 9 * * *', 'Europe/Berlin', monday, 1);
    expect(starts).to.deep.equal(['2026-06-02T00:00Z']);
  });

  it('takes UTC where the zone is left out or empty', () => {
    expect(next('0 9 * * *', undefined, monday, 1)).to.deep.equal(['2026-06-01T09:00Z']);
    expect(next('0 9 * * *', '', monday, 1)).to.deep.equal(['2026-06-01T09:00Z']);
  });

  const anyFive = 'write five fields, such as 0 22 * * MON-FRI';
  const count = (found: string): string =>
    `must have five fields (minute, hour, day of month, month, day of week) and ${found}; write five, such as 0 22 * * MON-FRI`;
  const noForm = 'is none of *, a value, a range a-b, or one of these with a step /n';
  const refused: [text: string, message: string][] = [
    ['', count('is an empty string')],
    ['   ', count('is a string of 3 characters')],
    ['* * *', count('has 3 of them')],
    ['0 0 22 * * *', count('has 6 of them')],
    ['TZ=Asia/Tokyo', count('has 0 of them')],
    [
      '60 * * * *',
      `has a string of 2 characters as its minute, which is outside of 0 to 59; ${anyFive}`,
    ],
    [
      '0 24 * * *',
      `has a string of 2 characters as its hour, which is outside of 0 to 23; ${anyFive}`,
    ],
    [
      '0 0 0 * *',
      `has a string of 1 character as its day of month, which is outside of 1 to 31; ${anyFive}`,
    ],
    [
      '0 0 1 13 *',
      `has a string of 2 characters as its month, which is outside of 1 to 12 or JAN to DEC; ${anyFive}`,
    ],
    [
      '0 0 * * 7',
      `has a string of 1 character as its day of week, which is outside of 0 to 6 or SUN to SAT (Sunday is 0); ${anyFive}`,
    ],
    [
      '0 0 * * 6-7',
      `has a string of 3 characters as its day of week, which is outside of 0 to 6 or SUN to SAT (Sunday is 0); ${anyFive}`,
    ],
    [
      '0 0 * JUN MONDAY',
      `has a string of 6 characters as its day of week, which is outside of 0 to 6 or SUN to SAT (Sunday is 0); ${anyFive}`,
    ],
    [
      '0 22-2 * * *',
      `has a string of 4 characters as its hour, which is a range whose end comes before its start: write it as two, with a comma; ${anyFive}`,
    ],
    [
      '*/0 * * * *',
      `has a string of 3 characters as its minute, which has step 0: it leads nowhere; ${anyFive}`,
    ],
    [
      '1,,2 * * * *',
      `has a string of 4 characters as its minute, which is empty between commas; ${anyFive}`,
    ],
    [
      '0 0 L * *',
      `has a string of 1 character as its day of month, which uses L, W or #: they are not understood here; ${anyFive}`,
    ],
    [
      '0 0 15W * *',
      `has a string of 3 characters as its day of month, which uses L, W or #: they are not understood here; ${anyFive}`,
    ],
    [
      '0 0 * * 1#2',
      `has a string of 3 characters as its day of week, which uses L, W or #: they are not understood here; ${anyFive}`,
    ],
    [
      'H * * * *',
      `has a string of 1 character as its minute, which is outside of 0 to 59; ${anyFive}`,
    ],
    ['*-5 * * * *', `has a string of 3 characters as its minute, which ${noForm}; ${anyFive}`],
    ['1-2-3 * * * *', `has a string of 5 characters as its minute, which ${noForm}; ${anyFive}`],
    ['-1 * * * *', `has a string of 2 characters as its minute, which ${noForm}; ${anyFive}`],
    ['1.5 * * * *', `has a string of 3 characters as its minute, which ${noForm}; ${anyFive}`],
    ['*/* * * * *', `has a string of 3 characters as its minute, which ${noForm}; ${anyFive}`],
    [
      '@reboot',
      'begins with @ and is none of @yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly; write one of them or the five fields',
    ],
    [
      'TZ= 0 0 * * *',
      'has no name behind TZ=; write an IANA time zone there, such as Europe/Berlin',
    ],
    [
      'TZ=Mars/Olympus 0 0 * * *',
      'has a string of 12 characters behind TZ=, which is no IANA time zone; give one such as Europe/Berlin, or leave it out for UTC',
    ],
    [`${'0,'.repeat(600)}0 * * * *`, 'has 1209 characters; at most 1024 are allowed'],
  ];
  for (const [text, message] of refused) {
    it(`may not be ${JSON.stringify(text.slice(0, 30))}`, () => {
      expect(parseSchedule(text, undefined)).to.deep.equal({
        kind: 'Problem',
        field: 'schedule',
        message,
      });
    });
  }

  it('may not be relative to the moment that it is asked (gap: part B 1.2)', () => {
    for (const text of ['@every 1h', '@every 4h30m', 'TZ=Asia/Tokyo @every 1h', '@every']) {
      const parsed = parseSchedule(text, undefined);
      expect(parsed).to.deep.include({ kind: 'Problem', field: 'schedule' });
      expect(parsed.kind === 'Problem' && parsed.message).to.equal(
        'begins with @every, which counts from the moment that it is asked and so never opens a window; ' +
          'write the five fields, such as 0 */4 * * * for every four hours',
      );
    }
  });

  it('does not repeat what it refuses: it may be a secret in the wrong field', () => {
    for (const text of ['hunter2 * * * *', 'hunter2', '@hunter2', 'TZ=hunter2 * * * * *']) {
      expect(JSON.stringify(parseSchedule(text, undefined))).not.to.include('hunter2');
    }
    expect(JSON.stringify(parseSchedule('* * * * *', 'hunter2'))).not.to.include('hunter2');
  });

  for (const zone of ['Mars/Olympus', 'Local', '+01:00', ' Europe/Berlin', 'Z'.repeat(100)]) {
    it(`has no zone ${JSON.stringify(zone.slice(0, 20))}`, () => {
      expect(parseSchedule('0 0 * * *', zone)).to.deep.equal({
        kind: 'Problem',
        field: 'timeZone',
        message: `is a string of ${zone.length} characters, which is no IANA time zone; give one such as Europe/Berlin, or leave it out for UTC`,
      });
    });
  }
});

describe('a schedule where clocks change', () => {
  // In Berlin 02:00 to 03:00 is skipped on 29 March 2026, and comes twice on 25 October.
  const rows: [text: string, zone: string, from: string, starts: string[]][] = [
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['2026-03-30T00:30Z']],
    ['0 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['2026-03-30T00:00Z']],
    ['0 3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['2026-03-29T01:00Z']],
    [
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-26T01:30Z'],
    ],
    ['0 3 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['2026-10-25T02:00Z', '2026-10-26T02:00Z']],
    ['0 * * * *', 'Europe/Berlin', '2026-03-29T00:00Z', ['2026-03-29T01:00Z', '2026-03-29T02:00Z']],
    // Clocks of Lord Howe are changed by half an hour.
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z', ['2026-10-04T15:15Z']],
    [
      '45 1 * * *',
      'Australia/Lord_Howe',
      '2026-04-04T12:00Z',
      ['2026-04-04T14:45Z', '2026-04-04T15:15Z', '2026-04-05T15:15Z'],
    ],
    // Midnight itself is skipped on 24 April 2026 in Cairo, and was on 4 November 2018 in São Paulo.
    ['@midnight', 'Africa/Cairo', '2026-04-22T12:00Z', ['2026-04-22T22:00Z', '2026-04-24T21:00Z']],
    [
      '0 0 * * *',
      'America/Sao_Paulo',
      '2018-11-02T12:00Z',
      ['2018-11-03T03:00Z', '2018-11-05T02:00Z'],
    ],
    // Samoa had no 30 December 2011 at all.
    ['0 12 * * *', 'Pacific/Apia', '2011-12-29T00:00Z', ['2011-12-29T22:00Z', '2011-12-30T22:00Z']],
  ];
  for (const [text, zone, from, starts] of rows) {
    it(`starts after ${from} with ${text} in ${zone} at ${starts.join(', ')} (part B 1.3)`, () => {
      expect(next(text, zone, from, starts.length)).to.deep.equal(starts);
    });
  }

  it('finds the same starts looking back', () => {
    const berlin = (text: string, from: string): string =>
      written(lastStart(scheduleOf(text, 'Europe/Berlin'), at(from), at('2026-01-01T00:00Z')));
    expect(berlin('30 2 * * *', '2026-03-29T12:00Z')).to.equal('2026-03-28T01:30Z');
    expect(berlin('0 2 * * *', '2026-03-29T01:30Z')).to.equal('2026-03-28T01:00Z');
    expect(berlin('30 2 * * *', '2026-10-25T12:00Z')).to.equal('2026-10-25T01:30Z');
    expect(berlin('30 2 * * *', '2026-10-25T01:29Z')).to.equal('2026-10-25T00:30Z');
  });
});

describe('a schedule that is looked up', () => {
  const daily = scheduleOf('0 12 * * *');
  const noon = at('2026-06-01T12:00Z');

  it('does not find a start at the instant after which it is looked for', () => {
    expect(written(firstStart(daily, noon, at('2030-01-01T00:00Z')))).to.equal('2026-06-02T12:00Z');
  });

  it('finds a start at the instant up to which it is looked for', () => {
    expect(lastStart(daily, noon, at('2026-05-01T00:00Z'))).to.equal(noon);
  });

  it('looks back over months without a start to the last day of one with some', () => {
    const january = scheduleOf('0 0 31 JAN *');
    const found = lastStart(january, noon, at('2025-01-31T00:00Z'));
    expect(written(found)).to.equal('2026-01-31T00:00Z');
    expect(lastStart(january, noon, at('2026-01-31T00:00Z'))).to.equal(undefined);
  });

  it('understands instants between milliseconds', () => {
    const [before, behind] = [instant(noon - 0.5), instant(noon + 0.5)];
    expect(firstStart(daily, before, at('2030-01-01T00:00Z'))).to.equal(noon);
    expect(lastStart(daily, behind, before)).to.equal(noon);
    expect(lastStart(daily, before, at('2026-06-01T00:00Z'))).to.equal(undefined);
  });

  it('ends after five years where it never starts (edge case 1, part B 13)', () => {
    const begun = performance.now();
    for (const text of ['0 0 31 4 *', '0 0 30 2 *', '0 0 31 2,4,6,9,11 *', '* * 30-31 FEB *']) {
      for (const zone of ['UTC', 'Africa/Casablanca']) {
        expect(next(text, zone, monday, 1), text).to.deep.equal([]);
        const schedule = scheduleOf(text, zone);
        expect(lastStart(schedule, at(monday), at('2021-06-01T00:00Z'))).to.equal(undefined);
      }
    }
    expect(performance.now() - begun).to.be.lessThan(5_000);
  });
});
