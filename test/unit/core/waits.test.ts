import { expect } from 'chai';
import { settleActions } from '../../../src/core/actions/settle-actions.ts';
import { decide } from '../../../src/core/decide.ts';
import type { RunProgress, StageStep, Wait } from '../../../src/core/run.ts';
import { after, type Instant, minutes } from '../../../src/core/time.ts';
import { settleWaits } from '../../../src/core/waits.ts';
import {
  applying,
  at,
  done,
  establishing,
  failureOf,
  health,
  noon,
  pending,
  snapshotOf,
  specOf,
  stageSetOf,
  verifying,
} from './snapshot-builder.ts';

const world = snapshotOf(stageSetOf(specOf(['dev', 'prod'], { timeout: '5m' })));
const started = decide(world).run;
const bound = after(noon, minutes(5));

function settled(now: Instant, ...steps: StageStep[]): RunProgress {
  if (started === undefined) throw new Error('a run starts at the first look');
  return settleActions(settleWaits(at(started, ...steps), { ...world, now }), { ...world, now });
}

/** A wait whose last look was at the end of its bound, so that nobody need look again. */
function lookedAtTheEnd<Step extends Wait>(step: Step): Step {
  return { ...step, nextLook: after(bound, minutes(1)) };
}

describe('a stage that waits for its objects', () => {
  it('is asked for its gates when all of them are current', () => {
    const { stages, outcome } = settled(noon, verifying(health('web'), health('worker')));
    expect(stages[0]?.step).to.deep.equal({ kind: 'AtGates' });
    expect(outcome).to.equal(undefined);
  });

  it('is asked for its gates when there are none', () => {
    expect(settled(noon, verifying()).stages[0]?.step).to.deep.equal({ kind: 'AtGates' });
  });

  it('fails as soon as one has failed, and with it the run', () => {
    const step = verifying(health('web', 'InProgress'), health('worker', 'Failed'));
    const { stages, outcome } = settled(noon, step);
    const failure = {
      reason: 'StageFailed',
      operation: 'verify',
      message:
        '2 of 2 not ready: Deployment/team/worker: Failed it is; ' +
        'Deployment/team/web: InProgress it is',
      retry: 'Backoff',
    };
    expect(stages[0]?.step).to.deep.equal({ kind: 'Failed', failure });
    expect(outcome).to.deep.equal({ kind: 'Failed', at: noon, stage: 'dev', failure });
  });

  for (const status of ['InProgress', 'Terminating', 'NotFound', 'Unknown'] as const) {
    it(`goes on waiting for one that is ${status}`, () => {
      const step = verifying(health('web'), health('worker', status));
      const { stages, outcome } = settled(noon, step);
      expect(stages[0]?.step).to.deep.equal(step);
      expect(outcome).to.equal(undefined);
    });

    it(`holds the run, without a failure, for one that is ${status} at the end of its bound`, () => {
      const step = lookedAtTheEnd(verifying(health('worker', status)));
      const { stages, outcome } = settled(bound, step);
      expect(stages[0]?.step).to.deep.equal(step);
      expect(outcome).to.deep.equal({
        kind: 'Progressing',
        at: bound,
        stage: 'dev',
        message:
          'Stage dev is still converging after 5m0s (spec.timeout), nothing failed; ' +
          'waiting for ' +
          `1 of 1 not ready: Deployment/team/worker: ${status} it is`,
      });
    });
  }

  it('is looked at once more before its bound counts as over', () => {
    const overdue = verifying(health('web', 'InProgress'));
    expect(settled(bound, overdue).outcome).to.equal(undefined);
    expect(settled(bound, overdue).stages[0]?.step).to.deep.equal(overdue);
  });

  it('fails at the end of its bound when one has failed', () => {
    const step = lookedAtTheEnd(verifying(health('web', 'InProgress'), health('db', 'Failed')));
    expect(settled(bound, step).outcome?.kind).to.equal('Failed');
  });

  it('is asked for its gates at the end of its bound when all are current', () => {
    const { stages, outcome } = settled(bound, lookedAtTheEnd(verifying(health('web'))));
    expect(stages[0]?.step.kind).to.equal('AtGates');
    expect(outcome).to.equal(undefined);
  });
});

describe('a group that others build on', () => {
  it('lets the next group be applied when it is established', () => {
    const { stages } = settled(noon, establishing(health('crd')));
    expect(stages[0]?.step).to.deep.equal({
      kind: 'Applying',
      group: 1,
      groups: 2,
      health: [health('crd')],
    });
  });

  it('is waited for until then', () => {
    const step = establishing(health('crd', 'InProgress'));
    expect(settled(noon, step).stages[0]?.step).to.deep.equal(step);
  });

  it('fails its stage at once when it cannot be established', () => {
    const { outcome } = settled(noon, establishing(health('crd', 'Failed')));
    expect(outcome).to.deep.equal({
      kind: 'Failed',
      at: noon,
      stage: 'dev',
      failure: {
        reason: 'StageFailed',
        operation: 'apply',
        message: 'not established: 1 of 1 not ready: Deployment/team/crd: Failed it is',
        retry: 'Backoff',
      },
    });
  });

  it('fails its stage when its bound is over, unlike a stage that converges', () => {
    const { outcome } = settled(bound, lookedAtTheEnd(establishing(health('crd', 'InProgress'))));
    expect(outcome?.kind === 'Failed' ? outcome.failure.message : outcome?.kind).to.equal(
      'not established within 5m0s: 1 of 1 not ready: Deployment/team/crd: InProgress it is',
    );
  });
});

describe('settling', () => {
  it('leaves what waits for nothing as it is', () => {
    for (const steps of [[pending], [applying()], [done, done]]) {
      const run = settled(bound, ...steps);
      expect(run.stages.map(({ step }) => step)).to.deep.equal([...steps, pending].slice(0, 2));
      expect(run.outcome).to.equal(undefined);
    }
  });

  it('looks at the first stage that is not ready only', () => {
    const later = verifying(health('web', 'Failed'));
    const run = settled(noon, applying(), later);
    expect(run.stages[1]?.step).to.deep.equal(later);
    expect(run.outcome).to.equal(undefined);
  });

  it('ends the run by the failure of its stage', () => {
    const failure = failureOf({ reason: 'RBACDenied', retry: 'Minute' });
    const { outcome } = settled(noon, done, { kind: 'Failed', failure });
    expect(outcome).to.deep.equal({ kind: 'Failed', at: noon, stage: 'prod', failure });
  });

  it('changes nothing when it is asked again', () => {
    const once = settled(noon, verifying(health('web', 'InProgress')));
    expect(settleWaits(once, world)).to.deep.equal(once);
  });
});
