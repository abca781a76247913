import { expect } from 'chai';
import { type Decision, decide } from '../../../../src/core/decide.ts';
import { mostCorrected } from '../../../../src/core/drift/correction.ts';
import type { DriftedObject, DriftSeen } from '../../../../src/core/drift/drifted.ts';
import type { RunOutcome, RunProgress } from '../../../../src/core/run.ts';
import type { Snapshot } from '../../../../src/core/snapshot.ts';
import { nextStatus } from '../../../../src/core/status.ts';
import { after, minutes, seconds } from '../../../../src/core/time.ts';
import {
  at,
  done,
  failureOf,
  health,
  noon,
  pending,
  ready,
  snapshotOf,
  specOf,
  stageSetOf,
  unavailable,
  verifying,
} from '../snapshot-builder.ts';

const spec = specOf(['crds', 'app', 'site'], { interval: '10m' });
const shop = stageSetOf(spec);
const crdsSource = { name: 'crds', sourceRef: { name: 'crds' } };

/** The world at noon with a run of three stages that ended like this. */
function ended(outcome: RunOutcome, ...steps: Parameters<typeof at>[1][]): Snapshot {
  const { run } = decide(snapshotOf(shop));
  if (run === undefined) throw new Error('a first snapshot starts a run');
  return snapshotOf(shop, { run: { ...at(run, ...steps), prune: 'Done', outcome } });
}

const succeeded = ended({ kind: 'Succeeded', at: noon }, done, done, done);

function drifted(...objects: readonly string[]): DriftSeen {
  const due = objects.map((each): DriftedObject => {
    const [stage = '', id = ''] = each.split('/');
    return { stage, id };
  });
  return { due, nextAt: undefined };
}

function correctionIn({ run }: Decision): RunProgress {
  if (run?.correction === undefined) throw new Error('there is no correction');
  return run;
}

describe('an object that drifted', () => {
  it('has its own stage built, and no other', () => {
    const decision = decide({ ...succeeded, drift: drifted('app/web') });
    expect(decision.next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
    const run = correctionIn(decision);
    expect(run.stages.map(({ name, step }) => [name, step.kind])).to.deep.equal([
      ['app', 'Pending'],
    ]);
    expect(run.spec.stages.map(({ name }) => name)).to.deep.equal(['app']);
    expect(run.pinned.map(({ source }) => source)).to.deep.equal(['team/app']);
    expect(run.prune).to.equal('Done');
  });

  it('leaves the status as it is', () => {
    const decision = decide({ ...succeeded, drift: drifted('app/web') });
    const rest = { verdict: undefined, inventories: new Map(), runbookBase: '', now: noon };
    const before = nextStatus({ stageSet: shop, run: succeeded.run, ...rest });
    const stageSet = { ...shop, status: before };
    expect(nextStatus({ stageSet, run: decision.run, ...rest })).to.deep.equal(before);
  });

  it('gives back the run that it interrupted, with its schedule', () => {
    const run = correctionIn(decide({ ...succeeded, drift: drifted('app/web') }));
    const later = { ...succeeded, now: after(noon, minutes(3)) };
    const decision = decide({ ...later, run: at(run, done) });
    expect(decision.run).to.deep.equal(succeeded.run);
    expect(decision.next).to.deep.equal(decide({ ...later }).next);
  });

  it('is corrected next when it was changed while another one was corrected', () => {
    const run = correctionIn(decide({ ...succeeded, drift: drifted('app/web') }));
    const decision = decide({ ...succeeded, run: at(run, done), drift: drifted('site/page') });
    expect(decision.next).to.deep.include({ kind: 'Rest', wakeAt: noon });
  });

  it('does not wait for another one to become healthy', () => {
    const run = correctionIn(decide({ ...succeeded, drift: drifted('app/web') }));
    const slow = at(run, verifying(health('web', 'InProgress')));
    const further = correctionIn(decide({ ...succeeded, run: slow, drift: drifted('site/page') }));
    expect(further.correction?.objects).to.deep.equal([
      { stage: 'app', id: 'web' },
      { stage: 'site', id: 'page' },
    ]);
    expect(further.correction?.interrupted).to.deep.equal(succeeded.run);
  });

  it('keeps no new revision waiting', () => {
    const run = correctionIn(decide({ ...succeeded, drift: drifted('app/web') }));
    const slow = at(run, verifying(health('web', 'InProgress')));
    const sources = [ready('crds'), ready('app', 'v2'), ready('site')];
    const decision = decide({ ...succeeded, run: slow, sources });
    expect(decision.run?.correction).to.equal(undefined);
    expect(decision.run?.pinned[1]?.revision).to.equal('v2');
  });

  it('is left to the next run where the release has changed at the same time', () => {
    const sources = [ready('crds'), ready('app', 'v2'), ready('site')];
    const decision = decide({ ...succeeded, sources, drift: drifted('app/web') });
    expect(decision.run?.correction).to.equal(undefined);
    expect(decision.run?.stages.length).to.equal(3);
  });

  it('makes the whole release be asserted again when it is one of very many', () => {
    const many = Array.from({ length: mostCorrected + 1 }, (_, index) => `app/${index}`);
    const decision = decide({ ...succeeded, drift: drifted(...many) });
    expect(decision.run?.correction).to.equal(undefined);
    expect(decision.next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
    expect(decision.run?.outcome).to.equal(undefined);
  });

  it('is left alone while it is contested, until the pause is over', () => {
    const soon = after(noon, seconds(10));
    const { run, next } = decide({ ...succeeded, drift: { due: [], nextAt: soon } });
    expect(run).to.deep.equal(succeeded.run);
    expect(next).to.deep.include({ kind: 'Rest', wakeAt: soon });
  });

  it('is left alone while the StageSet is suspended', () => {
    const suspended = { ...spec, suspend: true };
    const stageSet = stageSetOf(suspended);
    const { next } = decide({ ...succeeded, stageSet, spec: suspended, drift: drifted('app/web') });
    expect(next).to.deep.include({ kind: 'Rest', wakeAt: undefined });
  });

  it('is left alone while a source is not ready, as a re-assertion would', () => {
    const sources = [ready('crds'), unavailable('SourceNotReady'), ready('site')];
    const { run, next } = decide({ ...succeeded, sources, drift: drifted('app/web') });
    expect(run?.correction).to.equal(undefined);
    expect(next.kind).to.equal('Rest');
  });

  it('is left to the next attempt of a run that failed', () => {
    const failed = ended(
      { kind: 'Failed', at: noon, stage: 'site', failure: failureOf() },
      done,
      done,
    );
    const { run, next } = decide({ ...failed, drift: drifted('app/web') });
    expect(run?.correction).to.equal(undefined);
    expect(next.kind).to.equal('Rest');
  });

  it('is corrected while a later stage is still converging, which then still does', () => {
    const outcome = { kind: 'Progressing', at: noon, stage: 'app', message: 'slowly' } as const;
    const held = ended(outcome, done, verifying(health('web', 'InProgress')), pending);
    const run = correctionIn(decide({ ...held, drift: drifted('crds/definition') }));
    expect(run.stages.map(({ name }) => name)).to.deep.equal(['crds']);
    const decision = decide({ ...held, run: at(run, done) });
    expect(decision.run).to.deep.equal(held.run);
    expect(decision.next).to.deep.include({ kind: 'Rest' });
  });

  it('is corrected without the end of a hold being missed', () => {
    const [first, ...others] = spec.stages;
    const stages = [{ ...first, ...crdsSource, promotion: { soak: '2m' } }, ...others];
    const soaking = snapshotOf(stageSetOf({ ...spec, stages }));
    const { run: begun } = decide(soaking);
    if (begun === undefined) throw new Error('a first snapshot starts a run');
    const { run } = decide({ ...soaking, run: at(begun, { kind: 'AtGates' }) });
    const held = { ...soaking, run };
    const correcting = correctionIn(decide({ ...held, drift: drifted('crds/definition') }));
    const { next } = decide({ ...held, run: at(correcting, done) });
    expect(next).to.include({ kind: 'Rest', wakeAt: after(noon, minutes(2)) });
  });

  it('is left to its own stage where that has not been entered yet', () => {
    const outcome = { kind: 'Progressing', at: noon, stage: 'app', message: 'slowly' } as const;
    const held = ended(outcome, done, verifying(health('web', 'InProgress')), pending);
    const { run } = decide({ ...held, drift: drifted('site/page') });
    expect(run).to.deep.equal(held.run);
  });

  it('that does not become healthy leaves the run with all its stages, and with the time of its next attempt', () => {
    const run = correctionIn(decide({ ...succeeded, drift: drifted('app/web') }));
    const slow = at(run, verifying(health('web', 'InProgress')));
    const late = { ...succeeded, now: after(noon, minutes(5)) };
    const waiting = at(slow, {
      ...verifying(health('web', 'InProgress')),
      nextLook: after(noon, minutes(9)),
    });
    const decision = decide({ ...late, run: waiting });
    expect(decision.run?.correction).to.equal(undefined);
    expect(decision.run?.stages.map(({ name, step }) => [name, step.kind])).to.deep.equal([
      ['crds', 'Ready'],
      ['app', 'Verifying'],
      ['site', 'Ready'],
    ]);
    expect(decision.run?.outcome?.kind).to.equal('Progressing');
    const another = decide({ ...late, run: decision.run, drift: drifted('site/page') });
    expect(correctionIn(another).stages.map(({ name }) => name)).to.deep.equal(['site']);
  });

  it('does not keep the whole release from being asserted when that is due', () => {
    const run = correctionIn(decide({ ...succeeded, drift: drifted('app/web') }));
    const slow = at(run, { ...verifying(health('web', 'InProgress')), bound: minutes(60) });
    const due = decide({ ...succeeded, run: slow, now: after(noon, minutes(11)) });
    expect(due.run?.correction).to.equal(undefined);
    expect(due.run?.stages.length).to.equal(3);
    const lost = decide({ ...succeeded, run: slow, reassert: true });
    expect(lost.run?.correction).to.equal(undefined);
  });

  it('is not taken up by a correction that has as many as it may', () => {
    const many = Array.from({ length: mostCorrected }, (_, index) => `app/web-${index}`);
    const run = correctionIn(decide({ ...succeeded, drift: drifted(...many) }));
    const slow = at(run, {
      ...verifying(health('web', 'InProgress')),
      nextLook: after(noon, minutes(1)),
    });
    const full = correctionIn(decide({ ...succeeded, run: slow, drift: drifted('site/page') }));
    expect(full.correction).to.equal(slow.correction);
    expect(full.stages[0]?.step.kind).to.equal('Verifying');
  });

  it('that cannot be corrected fails its stage, and is tried again as any run', () => {
    const run = correctionIn(decide({ ...succeeded, drift: drifted('app/web') }));
    const refused = at(run, { kind: 'Failed', failure: failureOf() });
    const decision = decide({ ...succeeded, run: refused });
    expect(decision.next).to.deep.include({
      kind: 'Rest',
      ready: { status: 'False', reason: 'StageFailed', message: 'Stage app: apply: no such thing' },
    });
    const later = decide({ ...succeeded, run: decision.run, now: after(noon, minutes(1)) });
    expect(later.run?.stages.length).to.equal(3);
    expect(later.run?.attempt).to.equal(2);
  });
});
