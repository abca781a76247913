import { expect } from 'chai';
import fc from 'fast-check';
import { GatedWorld, type GateEvent } from './gated-world.ts';

const event: fc.Arbitrary<GateEvent> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<GateEvent>({ kind: 'Wake' }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('Wait'), minutes: fc.integer({ min: 1, max: 90 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('Clock'),
      minutes: fc.integer({ min: -90, max: 90 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('Release'), stage: fc.integer({ min: 0, max: 2 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('Windows'), closed: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('Budget'), value: fc.constantFrom(0, 1, undefined) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('Version'), major: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.constant<GateEvent>({ kind: 'Approve' }) },
  { weight: 2, arbitrary: fc.constant<GateEvent>({ kind: 'Promote' }) },
  { weight: 1, arbitrary: fc.constant<GateEvent>({ kind: 'Edit' }) },
  { weight: 2, arbitrary: fc.constant<GateEvent>({ kind: 'Fail' }) },
  { weight: 1, arbitrary: fc.constant<GateEvent>({ kind: 'Retry' }) },
  { weight: 2, arbitrary: fc.constant<GateEvent>({ kind: 'Restart' }) },
);

/** Everything that anybody could do to let a delivery through. */
const opened: readonly GateEvent[] = [
  { kind: 'Windows', closed: false },
  { kind: 'Budget', value: 1 },
  { kind: 'Approve' },
  { kind: 'Promote' },
  { kind: 'Retry' },
];

describe('a StageSet with every gate', () => {
  it('begins no stage that a gate keeps back, is always woken by somebody, and comes to its end when all gates are open', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const world = new GatedWorld();
        for (const each of events) world.happen(each);
        for (const each of opened) world.happen(each);
        for (let wakes = 0; wakes < 60 && !world.isDelivered(); wakes += 1) {
          world.happen({ kind: 'Wake' });
        }
        const { status } = world.stageSet;
        expect(world.isDelivered(), `never delivered: ${JSON.stringify(status)}`).to.equal(true);
      }),
      { numRuns: 300 },
    );
  }).timeout(120_000);
});
