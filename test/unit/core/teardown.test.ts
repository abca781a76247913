import { expect } from 'chai';
import fc from 'fast-check';
import { decide } from '../../../src/core/decide.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import type { TeardownProgress, TeardownStage } from '../../../src/core/teardown-progress.ts';
import {
  type RefusalKind,
  type TeardownTrouble,
  withFailure,
} from '../../../src/core/teardown-trouble.ts';
import { after, minutes, seconds } from '../../../src/core/time.ts';
import { failureOf, noon, snapshotOf, specOf, stageSetOf } from './snapshot-builder.ts';
import { effectsOf, type Fate, live, retriedAt } from './world.ts';

const deletionTimestamp = '2026-01-01T12:00:00Z';

/** StageSet `team/shop` with so many stages, deleted at noon. */
function deleted(rest: Partial<Snapshot> = {}, stages = ['dev', 'prod']): Snapshot {
  return snapshotOf(stageSetOf(specOf(stages), { metadata: { deletionTimestamp } }), rest);
}

const entry = { id: 'team_web__ConfigMap', v: 'v1' };
const pending: TeardownStage['step'] = { kind: 'Pending' };
const gone: TeardownStage['step'] = { kind: 'Gone' };

function deleting(nextLook = noon): TeardownStage['step'] {
  return { kind: 'Deleting', since: noon, looks: 0, nextLook, remaining: [entry] };
}

function progress(
  steps: readonly TeardownStage['step'][],
  rest: Partial<TeardownProgress> = {},
): TeardownProgress {
  const stages = steps.map((step, index) => ({ stage: `stage-${index}`, entries: [entry], step }));
  return { loaded: true, stages, trouble: undefined, ...rest };
}

/** One failure at noon. */
function troubleOf(rest: Partial<TeardownTrouble> = {}, message = 'no answer'): TeardownTrouble {
  const failure = { ...failureOf({ message }), at: noon };
  return { failures: 1, failure, refusal: undefined, ...rest };
}

function troubled(
  teardown: TeardownProgress,
  index: number,
  trouble: TeardownTrouble,
): TeardownProgress {
  const stages = teardown.stages.map((stage, at) => (at === index ? { ...stage, trouble } : stage));
  return { ...teardown, stages };
}

describe('the teardown of a deleted StageSet', () => {
  const soon = after(noon, seconds(1));
  const cases: [string, TeardownProgress | undefined, object][] = [
    ['begins with what is recorded', undefined, { kind: 'LoadTeardown' }],
    ['deletes the first stage', progress([pending, pending]), { kind: 'DeleteStage', stage: 0 }],
    [
      'looks whether its objects are gone',
      progress([deleting(), pending]),
      { kind: 'LookForGone', stage: 0 },
    ],
    [
      'deletes the next stage when they are',
      progress([gone, pending]),
      { kind: 'DeleteStage', stage: 1 },
    ],
    ['lets go when all stages are gone', progress([gone, gone]), { kind: 'ReleaseFinalizer' }],
    ['lets go at once when nothing was recorded', progress([]), { kind: 'ReleaseFinalizer' }],
  ];
  for (const [title, teardown, next] of cases) {
    it(title, () => {
      expect(decide(deleted({ teardown })).next).to.deep.equal(next);
    });
  }

  it('rests between two looks and says what it waits for', () => {
    const teardown = progress([deleting(soon), pending]);
    expect(decide(deleted({ teardown })).next).to.deep.equal({
      kind: 'Rest',
      ready: {
        status: 'Unknown',
        reason: 'Progressing',
        message: 'Tearing down stage stage-0: 1 object(s) wait for their finalizers',
      },
      wakeAt: soon,
    });
  });

  it('is tried again with growing backoff when it failed, and says until when', () => {
    const teardown = troubled(progress([pending]), 0, troubleOf({ failures: 3 }));
    expect(decide(deleted({ teardown })).next).to.deep.equal({
      kind: 'Rest',
      ready: {
        status: 'False',
        reason: 'StageFailed',
        message:
          'Teardown: no answer; retried until 2026-01-01T13:00:00Z, ' +
          'then the finalizer is dropped and what remains stays behind',
      },
      wakeAt: after(noon, seconds(4)),
    });
    const again = decide(deleted({ teardown, now: after(noon, seconds(4)) }));
    expect(again.next).to.deep.equal({ kind: 'DeleteStage', stage: 0 });
  });

  it('attempts every stage once although its time is over, as after a long outage', () => {
    const over = after(noon, minutes(600));
    expect(decide(deleted({ now: over })).next).to.deep.equal({ kind: 'LoadTeardown' });
    const untried = progress([deleting(), pending]);
    expect(decide(deleted({ teardown: untried, now: over })).next).to.deep.equal({
      kind: 'DeleteStage',
      stage: 1,
    });
  });

  it('lets go without force when all is gone by the end of its time', () => {
    const over = after(noon, minutes(60));
    const { next } = decide(deleted({ teardown: progress([gone, gone]), now: over }));
    expect(next).to.deep.equal({ kind: 'ReleaseFinalizer' });
  });

  /** A trouble of so many refusals, the last one so many seconds after noon. */
  function refusedFor(span: number, count: number, kind: RefusalKind): TeardownTrouble {
    const at = after(noon, seconds(span));
    const failure = { ...failureOf({ message: 'denied' }), at };
    return { failures: count, failure, refusal: { kind, since: noon, count } };
  }

  const refusals: [RefusalKind, string][] = [
    ['Forbidden', 'permanent'],
    ['Unauthorized', 'unauthorized'],
  ];
  for (const [kind, cause] of refusals) {
    it(`takes ${kind} for lasting after three refusals over half a minute, not before`, () => {
      const quick = refusedFor(29, 6, kind);
      const few = refusedFor(60, 2, kind);
      for (const trouble of [quick, few]) {
        const now = trouble.failure.at;
        const teardown = troubled(progress([pending]), 0, trouble);
        expect(decide(deleted({ teardown, now })).next.kind).to.equal('Rest');
      }
      const lasting = refusedFor(30, 3, kind);
      const teardown = troubled(progress([pending]), 0, lasting);
      expect(decide(deleted({ teardown, now: lasting.failure.at })).next).to.deep.equal({
        kind: 'ReleaseFinalizer',
        forced: { cause, message: 'denied' },
      });
    });
  }

  it('does not wait for an account that is gone', () => {
    const teardown = troubled(progress([pending]), 0, refusedFor(0, 1, 'AccountGone'));
    expect(decide(deleted({ teardown })).next).to.deep.equal({
      kind: 'ReleaseFinalizer',
      forced: { cause: 'unauthorized', message: 'denied' },
    });
  });

  it('deletes the stages behind one that refuses for good before it gives that one up', () => {
    const lasting = refusedFor(30, 3, 'Forbidden');
    const now = lasting.failure.at;
    const teardown = troubled(progress([pending, pending]), 0, lasting);
    expect(decide(deleted({ teardown, now })).next).to.deep.equal({
      kind: 'DeleteStage',
      stage: 1,
    });
    const rest = troubled(progress([pending, gone]), 0, lasting);
    expect(decide(deleted({ teardown: rest, now })).next).to.deep.equal({
      kind: 'ReleaseFinalizer',
      forced: { cause: 'permanent', message: 'denied' },
    });
  });

  it('attempts the stages behind one that failed when the time is over', () => {
    const over = after(noon, minutes(60));
    const teardown = troubled(progress([pending, pending]), 0, troubleOf());
    expect(decide(deleted({ teardown, now: over })).next).to.deep.equal({
      kind: 'DeleteStage',
      stage: 1,
    });
    const both = troubled(teardown, 1, troubleOf({}, 'no answer either'));
    expect(decide(deleted({ teardown: both, now: over })).next).to.deep.equal({
      kind: 'ReleaseFinalizer',
      forced: { cause: 'timed_out', message: 'no answer; no answer either' },
    });
  });

  it('counts refusals anew after a failure of another kind', () => {
    const denied = withFailure(undefined, failureOf(), 'Forbidden', noon);
    const later = after(noon, seconds(20));
    const other = withFailure(denied, failureOf(), undefined, later);
    const again = withFailure(other, failureOf(), 'Forbidden', after(noon, seconds(40)));
    expect(again).to.deep.include({ failures: 3 });
    expect(again.refusal).to.deep.equal({
      kind: 'Forbidden',
      since: after(noon, seconds(40)),
      count: 1,
    });
  });

  it('loads its records again when they could not be read', () => {
    const unread = progress([], { loaded: false, trouble: troubleOf() });
    expect(decide(deleted({ teardown: unread })).next.kind).to.equal('Rest');
    const later = after(noon, seconds(1));
    expect(decide(deleted({ teardown: unread, now: later })).next).to.deep.equal({
      kind: 'LoadTeardown',
    });
  });

  it('drops the finalizer by force when its time is over', () => {
    const over = after(noon, minutes(60));
    const { next } = decide(deleted({ teardown: progress([deleting()]), now: over }));
    expect(next).to.deep.equal({
      kind: 'ReleaseFinalizer',
      forced: { cause: 'timed_out', message: 'objects are still terminating' },
    });
  });

  it('names the failure that it gave up at', () => {
    const over = after(noon, minutes(60));
    const teardown = troubled(progress([pending]), 0, troubleOf({ failures: 9 }));
    const { next } = decide(deleted({ teardown, now: over }));
    expect(next).to.deep.equal({
      kind: 'ReleaseFinalizer',
      forced: { cause: 'timed_out', message: 'no answer' },
    });
  });

  it('wakes at the end of its time even when the next try would be later', () => {
    const failure = { ...failureOf(), at: after(noon, minutes(59)) };
    const teardown = troubled(progress([pending]), 0, troubleOf({ failures: 20, failure }));
    const { next } = decide(deleted({ teardown, now: after(noon, minutes(59)) }));
    expect(next).to.include({ kind: 'Rest', wakeAt: after(noon, minutes(60)) });
  });

  it('has nothing to do without our finalizer', () => {
    const metadata = { deletionTimestamp, finalizers: ['other'] };
    const stageSet = stageSetOf(specOf(['dev']), { metadata });
    expect(decide(snapshotOf(stageSet)).next).to.deep.equal({
      kind: 'Rest',
      ready: undefined,
      wakeAt: undefined,
    });
  });

  it('goes on for a suspended StageSet, and for one whose spec is refused', () => {
    const problems = [{ path: 'spec', message: 'is wrong' }];
    const spec = { ...specOf(['dev']), suspend: true };
    const stageSet = stageSetOf(spec, { metadata: { deletionTimestamp } });
    expect(decide(snapshotOf(stageSet, { problems })).next).to.deep.equal({ kind: 'LoadTeardown' });
  });

  it('is all that is left of a run under way', () => {
    const { run } = decide(snapshotOf(stageSetOf(specOf(['dev', 'prod']))));
    expect(decide(deleted({ run })).run).to.equal(undefined);
  });
});

describe('a teardown, whatever happens', () => {
  const names = ['dev', 'test', 'prod'];
  const fates = fc.array(fc.constantFrom<Fate>('Well', 'Slow', 'Refused'), { maxLength: 60 });
  const starts = fc.integer({ min: 1, max: names.length }).map((count) => names.slice(0, count));

  it('takes the stages down one after the other when all goes well', () => {
    expect(effectsOf(live(deleted()))).to.deep.equal([
      'LoadTeardown',
      'DeleteStage 0',
      'DeleteStage 1',
      'ReleaseFinalizer',
    ]);
  });

  it('lets the StageSet go in the end', () => {
    fc.assert(
      fc.property(starts, fates, (stages, all) => {
        const effects = effectsOf(live(deleted({}, stages), all));
        expect(effects.at(-1)).to.equal('ReleaseFinalizer');
      }),
    );
  });

  it('lets go by force, and in bounded steps, when nothing ever works', () => {
    fc.assert(
      fc.property(starts, fc.constantFrom<Fate>('Slow', 'Refused'), (stages, fate) => {
        const moments = live(deleted({}, stages), new Array<Fate>(4000).fill(fate), 4000);
        const released = moments.find(({ decision }) => decision.next.kind === 'ReleaseFinalizer');
        expect(released?.decision.next).to.have.nested.property('forced.cause', 'timed_out');
        expect(released?.snapshot.now).to.be.within(
          after(noon, minutes(60)),
          after(noon, minutes(61)),
        );
      }),
      { numRuns: 6 },
    );
  });

  it('touches no stage while one before it remains, as long as it has time', () => {
    const deadline = after(noon, minutes(60));
    fc.assert(
      fc.property(starts, fates, (stages, all) => {
        for (const { snapshot, decision } of live(deleted({}, stages), all)) {
          const { next, teardown } = decision;
          if (!('stage' in next) || snapshot.now >= deadline) continue;
          const earlier = teardown?.stages.slice(0, next.stage) ?? [];
          expect(earlier.map(({ step }) => step.kind)).to.deep.equal(earlier.map(() => 'Gone'));
        }
      }),
    );
  });

  it('does not try again before its backoff is over, and never rests into the past', () => {
    fc.assert(
      fc.property(starts, fates, (stages, all) => {
        for (const { snapshot, decision } of live(deleted({}, stages), all)) {
          const { next } = decision;
          if (next.kind === 'Rest') expect(next.wakeAt ?? noon).to.be.at.least(snapshot.now);
          if (!('stage' in next)) continue;
          const retry = retriedAt(snapshot.teardown?.stages[next.stage] ?? {});
          expect(snapshot.now).to.be.at.least(retry ?? noon);
        }
      }),
    );
  });

  it('looks again soon at first, and never less than every two seconds', () => {
    const slow = new Array<Fate>(30).fill('Slow');
    const looks = live(deleted({}, ['dev']), slow).filter(
      ({ decision }) => decision.next.kind === 'LookForGone',
    );
    const times = looks.map(({ snapshot }) => snapshot.now);
    const spans = times.slice(1).map((time, index) => time - (times[index] ?? time));
    // A look itself takes 20 ms in this world.
    expect(spans.slice(0, 3)).to.deep.equal([220, 420, 820]);
    expect(Math.max(...spans)).to.equal(2020);
  });
});
