import { expect } from 'chai';
import { decide } from '../../../src/core/decide.ts';
import { startCorrection } from '../../../src/core/drift/correction.ts';
import { newRun, pin } from '../../../src/core/new-run.ts';
import type { RunProgress, StageStep } from '../../../src/core/run.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import {
  applying,
  artifactOf,
  at,
  done,
  establishing,
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
} from './snapshot-builder.ts';

const requestedAt = 'reconcile.fluxcd.io/requestedAt';
const spec = specOf(['dev', 'prod']);
const started = firstRun();

function firstRun(): RunProgress {
  const { run } = decide(snapshotOf(stageSetOf(spec)));
  if (run === undefined) throw new Error('a run starts at the first look');
  return run;
}

/** A run with its stages at these steps, seen by an otherwise quiet world. */
function under(steps: readonly StageStep[], rest: Partial<Snapshot> = {}): Snapshot {
  return snapshotOf(stageSetOf(spec), { run: at(started, ...steps), ...rest });
}

describe('a newer snapshot', () => {
  const sources = [ready('dev', 'v2'), ready('prod', 'v2')];
  const inside: [string, StageStep[]][] = [
    ['is being applied', [applying()]],
    ['waits for a group', [establishing(health('crd', 'InProgress'))]],
    ['is being verified', [done, verifying(health('web', 'InProgress'))]],
  ];
  for (const [title, steps] of inside) {
    it(`does not take over while a stage ${title}`, () => {
      const { run } = decide(under(steps, { sources }));
      expect(run?.id).to.equal(started.id);
      expect(run?.pinned).to.deep.equal(started.pinned);
    });

    it(`neither does an edit while a stage ${title}, and the run keeps its spec`, () => {
      const edited = stageSetOf(specOf(['dev', 'prod', 'new']), { metadata: { generation: 2 } });
      const { run } = decide(snapshotOf(edited, { run: at(started, ...steps) }));
      expect(run?.id).to.equal(started.id);
      expect(run?.spec).to.deep.equal(spec);
    });

    it(`ends a wait when a person asks for it while a stage ${title}`, () => {
      const asked = stageSetOf(spec, { metadata: { annotations: { [requestedAt]: 'now' } } });
      const { run, next } = decide(snapshotOf(asked, { run: at(started, ...steps) }));
      expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
      expect(run?.requestedAt).to.equal('now');
    });
  }

  it('is built anew while a stage of the run before is still being built for that', () => {
    const asked = stageSetOf(spec, { metadata: { annotations: { [requestedAt]: 'now' } } });
    const run = at(started, pending, pending);
    for (const world of [snapshotOf(asked, { run }), under([pending, pending], { sources })]) {
      const decision = decide({ ...world, building: true });
      // The end of the build that is given up with its run would be told to nobody.
      expect(decision.next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
      expect(decision.run?.startedAt).to.equal(world.now);
    }
  });

  const between: [string, StageStep[]][] = [
    ['before the first stage', [pending, pending]],
    ['after a stage', [done, pending]],
    ['after a stage that is healthy by now', [verifying(health('web'))]],
    ['before the prune', [done, done]],
  ];
  for (const [title, steps] of between) {
    it(`takes over ${title}`, () => {
      const { run, next } = decide(under(steps, { sources }));
      expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
      expect(run?.pinned.map(({ revision }) => revision)).to.deep.equal(['v2', 'v2']);
      expect(run?.id).not.to.equal(started.id);
    });

    it(`takes over by an edit ${title}`, () => {
      const edited = stageSetOf(specOf(['dev', 'new']), { metadata: { generation: 2 } });
      const { run } = decide(snapshotOf(edited, { run: at(started, ...steps) }));
      expect(run?.stages.map(({ name }) => name)).to.deep.equal(['dev', 'new']);
    });
  }

  it('that cannot be had leaves the run alone', () => {
    const outage = [ready('dev', 'v2'), unavailable('SourceNotReady')];
    const { run, next } = decide(under([done, pending], { sources: outage }));
    expect(run?.id).to.equal(started.id);
    expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 1 });
  });

  it('of an edit ends the run between stages even while it waits for its sources', () => {
    const edited = stageSetOf(specOf(['dev', 'new']), { metadata: { generation: 2 } });
    const rest = { sources: [ready('dev'), unavailable('SourceNotReady')], run: at(started, done) };
    const { next } = decide(snapshotOf(edited, rest));
    expect(next).to.have.nested.property('ready.reason', 'SourceNotReady');
  });

  it('that a person asks for waits for its sources, while the run goes on', () => {
    const metadata = { annotations: { [requestedAt]: 'now' } };
    const rest = { sources: [ready('dev'), unavailable('SourceNotReady')], run: at(started, done) };
    const { run, next } = decide(snapshotOf(stageSetOf(spec, { metadata }), rest));
    expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 1 });
    expect(run?.requestedAt).to.equal(undefined);
  });

  it('takes over from a run that has failed', () => {
    const failed: StageStep = { kind: 'Failed', failure: failureOf() };
    const { run, next } = decide(under([done, failed], { sources }));
    expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
    expect(run).to.deep.include({ attempt: 1, purpose: 'Rollout' });
  });
});

describe('a run that begins while drift is corrected', () => {
  const [dev] = specOf(['dev']).stages;
  if (dev === undefined) throw new Error('there is a stage');
  const later = { stages: [{ ...dev, path: './later' }] };
  const drifted = { stage: 'dev', id: 'team_web__ConfigMap' };

  it('keeps what is deployed by the spec that delivered it last, not by one before', () => {
    const delivered: RunProgress = {
      ...at(firstRun(), done),
      spec: later,
      pinned: [artifactOf('dev')],
      stages: at(firstRun(), done).stages.slice(0, 1),
      deliveredSpec: { stages: [dev] },
      outcome: { kind: 'Succeeded', at: noon },
    };
    const correction = startCorrection(delivered, [drifted]);
    const snapshot = snapshotOf(stageSetOf(later, { metadata: { generation: 2 } }), {
      run: correction,
      sources: [ready('dev', 'v2')],
    });
    expect(newRun(snapshot, pin(snapshot)).deliveredSpec).to.deep.equal(later);
  });
});
