import { expect } from 'chai';
import { decide } from '../../../src/core/decide.ts';
import { judgeRecreating, lookedAgain, withDeletions } from '../../../src/core/recreation.ts';
import type { Recreating, RunProgress, StageStep } from '../../../src/core/run.ts';
import { after, milliseconds, minutes, seconds } from '../../../src/core/time.ts';
import { at, noon, snapshotOf, specOf, stageSetOf } from './snapshot-builder.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team', name: 'web' };
const api = { ...web, name: 'api' };

/** Deployment team/web was deleted at noon in group 1 of 2, and is looked for after 100 ms. */
const waiting: Recreating = {
  group: 1,
  groups: 2,
  established: [],
  recreation: { since: noon, bound: minutes(5), objects: [web] },
  remaining: [{ object: web, uid: 'uid-of-web' }],
  looks: 0,
  nextLook: after(noon, milliseconds(100)),
};
const step: StageStep = { kind: 'Recreating', ...waiting };

function runAt(stageStep: StageStep): RunProgress {
  const { run } = decide(snapshotOf(stageSetOf(specOf(['dev', 'prod']))));
  if (run === undefined) throw new Error('a run was to start');
  return at(run, stageStep);
}

describe('a stage whose objects are replaced', () => {
  it('waits without a worker until the next look is due', () => {
    const stageSet = stageSetOf(specOf(['dev', 'prod']));
    const { next } = decide(snapshotOf(stageSet, { run: runAt(step) }));
    expect(next).to.deep.equal({
      kind: 'Rest',
      ready: {
        status: 'Unknown',
        reason: 'Progressing',
        message:
          'Rolling out, stage 1 of 2 (dev): replacing objects, waiting for Deployment/team/web to ' +
          'be gone',
      },
      wakeAt: waiting.nextLook,
    });
  });

  it('is put back before a suspension takes effect', () => {
    const spec = { ...specOf(['dev', 'prod']), suspend: true };
    const suspended = snapshotOf(stageSetOf(spec), { run: runAt(step), sources: [] });
    expect(decide({ ...suspended, now: waiting.nextLook }).next).to.deep.equal({
      kind: 'LookForDeleted',
      stage: 0,
    });
    const gone = runAt({ kind: 'Recreating', ...lookedAgain(waiting, [], noon) });
    const apply = decide({ ...suspended, run: gone });
    expect(apply.next).to.deep.equal({ kind: 'ApplyGroup', stage: 0, group: 1 });
    const back = runAt({ kind: 'Applying', group: 2, groups: 3, health: [] });
    const { run, next } = decide({ ...suspended, run: back });
    expect(run).to.equal(undefined);
    expect(next).to.deep.include({ kind: 'Rest', wakeAt: undefined });
  });

  it('is looked at when that is due', () => {
    const stageSet = stageSetOf(specOf(['dev', 'prod']));
    const now = waiting.nextLook;
    const { next } = decide(snapshotOf(stageSet, { run: runAt(step), now }));
    expect(next).to.deep.equal({ kind: 'LookForDeleted', stage: 0 });
  });

  it('applies the same group once all of them are gone', () => {
    const gone = lookedAgain(waiting, [], noon);
    expect(judgeRecreating(gone, noon)).to.deep.equal({
      kind: 'Applying',
      group: 1,
      groups: 2,
      health: [],
      recreation: waiting.recreation,
    });
  });

  it('fails when the timeout of the stage is over, and says what is in the way', () => {
    const late = after(noon, minutes(5));
    const looked = lookedAgain(waiting, waiting.remaining, late);
    expect(judgeRecreating(looked, late)).to.deep.equal({
      kind: 'Failed',
      failure: {
        reason: 'StageFailed',
        operation: 'apply',
        message:
          'not gone within 5m0s after deletion, so that it cannot be created anew: ' +
          'Deployment/team/web; see metadata.finalizers for what holds on',
        retry: 'Backoff',
      },
    });
  });

  it('does not fail before somebody has looked, however late that is', () => {
    expect(judgeRecreating(waiting, after(noon, minutes(60)))).to.deep.equal(step);
  });

  it('has one deadline, also when objects must be replaced a second time', () => {
    const again = withDeletions(
      waiting.recreation,
      [web, api],
      after(noon, seconds(30)),
      minutes(5),
    );
    expect(again).to.deep.equal({ since: noon, bound: minutes(5), objects: [web, api] });
  });

  it('gives way to nothing but a deletion, a suspension or a forced reconcile', () => {
    const newer = stageSetOf(specOf(['dev', 'prod']), { metadata: { generation: 2 } });
    const { next } = decide(snapshotOf(newer, { run: runAt(step), now: waiting.nextLook }));
    expect(next.kind).to.equal('LookForDeleted');
    const deletionTimestamp = new Date(noon).toISOString();
    const deleted = stageSetOf(specOf(['dev', 'prod']), { metadata: { deletionTimestamp } });
    expect(decide(snapshotOf(deleted, { run: runAt(step) })).next.kind).to.equal('LoadTeardown');
  });
});
