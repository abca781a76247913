import { expect } from 'chai';
import { humanDuration } from '../../../src/core/human-duration.ts';
import { seconds } from '../../../src/core/time.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;

/** As `TestHumanDuration` of apimachinery has them, and between. */
const cases: readonly (readonly [number, string])[] = [
  [-2, '<invalid>'],
  [-1, '0s'],
  [0, '0s'],
  [1, '1s'],
  [70, '70s'],
  [119, '119s'],
  [2 * minute, '2m'],
  [3 * minute + 20, '3m20s'],
  [10 * minute + 59, '10m'],
  [90 * minute, '90m'],
  [3 * hour, '3h'],
  [5 * hour + 30 * minute, '5h30m'],
  [8 * hour + 59 * minute, '8h'],
  [47 * hour + 59 * minute, '47h'],
  [2 * day, '2d'],
  [3 * day + 4 * hour, '3d4h'],
  [8 * day + 23 * hour, '8d'],
  [2 * year - 1, '729d'],
  [2 * year, '2y'],
  [2 * year + 30 * day, '2y30d'],
  [8 * year + 364 * day, '8y'],
];

describe('a span for people', () => {
  for (const [span, text] of cases) {
    it(`is ${text} for ${span} seconds`, () => {
      expect(humanDuration(seconds(span))).to.equal(text);
    });
  }
});
