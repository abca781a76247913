import { expect } from 'chai';
import {
  decideRotation,
  type RotationState,
  type RotationStep,
} from '../../../src/certs/rotation.ts';
import { type Instant, instant, minutes } from '../../../src/core/time.ts';

const start = Date.UTC(2026, 0, 1);

/** That many days after the active authority was made, which lives 90 days. */
function day(count: number): Instant {
  return instant(start + count * 24 * 60 * 60_000);
}

/** That many minutes after it. */
function at(base: Instant, count: number): Instant {
  return instant(base + minutes(count));
}

const young: RotationState = {
  active: { issuedAt: day(0), until: day(90) },
  leafUntil: day(90),
  leaf: 'Fits',
  next: undefined,
  previousUntil: [],
};
const nothing: RotationState = {
  ...young,
  active: undefined,
  leafUntil: instant(0),
  leaf: 'Unfit',
};
const published = { ...young, next: { issuedAt: day(60), until: day(150) } };
const overlapping = {
  ...young,
  active: { issuedAt: day(60), until: day(150) },
  leafUntil: day(150),
  previousUntil: [day(90)],
};

const cases: [title: string, state: RotationState, now: Instant, step: RotationStep][] = [
  ['makes the first authority', nothing, day(0), { kind: 'Create' }],
  ['waits for the last third of its life', young, day(1), { kind: 'Wait', until: day(60) }],
  ['publishes the next one then', young, day(60), { kind: 'PublishNext' }],
  [
    'serves by the next one only after the overlap',
    published,
    day(60),
    { kind: 'Wait', until: at(day(60), 10) },
  ],
  [
    'serves by the next one once it is seen',
    published,
    at(day(60), 10),
    { kind: 'Activate', when: 'OnceSeen' },
  ],
  [
    'waits no longer for it to be seen when the old one has ended',
    published,
    day(90),
    { kind: 'Activate', when: 'Now' },
  ],
  [
    'serves by a next one without overlap when the old one has ended',
    { ...published, next: { issuedAt: day(90), until: day(180) } },
    day(90),
    { kind: 'Activate', when: 'Now' },
  ],
  [
    'waits for a next one from a clock that is ahead until the old one ends',
    { ...published, next: { issuedAt: day(400), until: day(490) } },
    day(60),
    { kind: 'Wait', until: day(90) },
  ],
  ['begins anew when it slept through all of it', young, day(91), { kind: 'Create' }],
  ['begins anew when the next one has ended too', published, day(151), { kind: 'Create' }],
  [
    'replaces a next one that ended before it served',
    { ...published, next: { issuedAt: day(0), until: day(61) } },
    day(61),
    { kind: 'PublishNext' },
  ],
  [
    'keeps the old one published until it has ended',
    overlapping,
    day(61),
    { kind: 'Wait', until: day(90) },
  ],
  ['publishes what has ended no longer', overlapping, day(90), { kind: 'DropEnded' }],
  [
    'issues a leaf anew when a name lacks',
    { ...young, leaf: 'Unfit' },
    day(1),
    { kind: 'Reissue' },
  ],
  [
    'issues a leaf anew by the authority that everybody trusts, not by the next one',
    { ...published, leaf: 'Unfit' },
    at(day(60), 10),
    { kind: 'Reissue' },
  ],
  [
    'issues a leaf anew that ended before its authority',
    { ...young, leafUntil: day(5) },
    day(5),
    { kind: 'Reissue' },
  ],
];

describe('the rotation of an authority', () => {
  for (const [title, state, now, step] of cases) {
    it(title, () => {
      expect(decideRotation(state, now)).to.deep.equal(step);
    });
  }

  it('never waits for a moment that has passed', () => {
    const states = [young, published, overlapping];
    for (const state of states) {
      for (let minute = 0; minute < 200 * 24 * 60; minute += 7) {
        const now = at(day(0), minute);
        const step = decideRotation(state, now);
        if (step.kind === 'Wait') expect(step.until).to.be.greaterThan(now);
      }
    }
  });
});
