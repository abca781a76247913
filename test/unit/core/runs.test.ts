import { expect } from 'chai';
import fc from 'fast-check';
import { decide } from '../../../src/core/decide.ts';
import type { RunProgress, StageStep } from '../../../src/core/run.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import { after, between, type Instant, seconds } from '../../../src/core/time.ts';
import type { StageSet } from '../../../src/types/stages.ts';
import { ready, snapshotOf, specOf, stageSetOf, unavailable } from './snapshot-builder.ts';
import { effectsOf, type Happening, live, type Moment } from './world.ts';

const names = ['dev', 'test', 'staging', 'prod'];

function newborn(stages: number): Snapshot {
  const spec = specOf(names.slice(0, stages), { retryInterval: '1m' });
  return snapshotOf(stageSetOf(spec, { metadata: { finalizers: [] } }));
}

const stageCounts = fc.integer({ min: 1, max: names.length });
const fates = fc.constantFrom<Happening>('Well', 'Well', 'Slow', 'Refused', 'Immutable');

/** Everything that people, source controllers and clocks do to a StageSet under way. */
const events = fc.oneof(
  fc.constantFrom('v1', 'v2', 'v3').map(released),
  fc.constant(edited),
  fc.constant(outage),
  fc.string({ minLength: 1, maxLength: 3 }).map(asked),
  fc.integer({ min: 0, max: 2_000 }).map(later),
  fc.constant(lost),
);

const happenings = fc.array(fc.oneof({ weight: 4, arbitrary: fates }, events), { maxLength: 40 });
const lives = fc.tuple(stageCounts, happenings).map(([stages, all]) => live(newborn(stages), all));

function released(revision: string): Happening {
  return (snapshot) => {
    const sources = snapshot.spec.stages.map(({ sourceRef }) => ready(sourceRef.name, revision));
    return { ...snapshot, sources };
  };
}

function outage(snapshot: Snapshot): Snapshot {
  const [, ...rest] = snapshot.sources;
  return { ...snapshot, sources: [unavailable('SourceNotReady'), ...rest] };
}

/** Another generation, with one stage more or less. */
function edited(snapshot: Snapshot): Snapshot {
  const { generation = 0 } = snapshot.stageSet.metadata;
  const stages = names.slice(0, 1 + (generation % names.length));
  const spec = specOf(stages, { retryInterval: '1m' });
  const { metadata } = snapshot.stageSet;
  const stageSet = {
    ...snapshot.stageSet,
    spec,
    metadata: { ...metadata, generation: generation + 1 },
  };
  return { ...snapshot, stageSet, spec, sources: stages.map((name) => ready(name)) };
}

function asked(token: string): Happening {
  return (snapshot) => ({ ...snapshot, stageSet: annotated(snapshot.stageSet, token) });
}

function annotated(stageSet: StageSet, token: string): StageSet {
  const annotations = { 'reconcile.fluxcd.io/requestedAt': token };
  return { ...stageSet, metadata: { ...stageSet.metadata, annotations } };
}

function later(span: number): Happening {
  return (snapshot) => ({ ...snapshot, now: after(snapshot.now, seconds(span)) });
}

function lost(snapshot: Snapshot): Snapshot {
  return { ...snapshot, reassert: true };
}

function isReplacing({ step }: { readonly step: StageStep }): boolean {
  if (step.kind === 'Applying') return step.recreation !== undefined;
  return step.kind === 'Recreating' || step.kind === 'Failed';
}

/** The world comes right in the end: all sources are there. */
function repaired(snapshot: Snapshot): Snapshot {
  const sources = snapshot.spec.stages.map(({ sourceRef }) => ready(sourceRef.name));
  return { ...snapshot, sources };
}

function last(moments: readonly Moment[]): Moment {
  const moment = moments.at(-1);
  if (moment === undefined) throw new Error('a life has a moment');
  return moment;
}

describe('a run in a world where all goes well', () => {
  it('goes through its stages one by one, prunes and rests', () => {
    const moments = live(newborn(2));
    expect(effectsOf(moments)).to.deep.equal([
      'AddFinalizer',
      ...['dev', 'test'].flatMap((_, stage) => [
        `PrepareStage ${stage}`,
        `ApplyGroup ${stage}`,
        'Rest Progressing',
        `LookAtHealth ${stage}`,
        `ApplyGroup ${stage}`,
        'Rest Progressing',
        `LookAtHealth ${stage}`,
      ]),
      'Prune',
      'Rest Succeeded',
    ]);
  });

  it('takes seven moments for each stage of two groups, and three more', () => {
    for (const stages of [1, 2, 3, 4]) expect(live(newborn(stages))).to.have.length(7 * stages + 3);
  });

  it('re-asserts in silence, and succeeds again', () => {
    const first = last(live(newborn(2)));
    const due = after(first.snapshot.now, seconds(3600));
    const again = live({ ...first.snapshot, run: first.decision.run, now: due });
    expect(effectsOf(again)).to.include('PrepareStage 1').and.not.to.include('AddFinalizer');
    expect(last(again).decision.run?.outcome?.kind).to.equal('Succeeded');
  });
});

describe('a run, whatever happens', () => {
  it('succeeds in the end, when the world comes right', () => {
    fc.assert(
      fc.property(stageCounts, happenings, (stages, all) => {
        const { decision } = last(live(newborn(stages), [...all, repaired]));
        expect(decision.run?.outcome?.kind).to.equal('Succeeded');
      }),
    );
  });

  it('touches no stage before all earlier ones are ready, and prunes after the last', () => {
    fc.assert(
      fc.property(lives, (moments) => {
        for (const { decision } of moments) {
          const { run, next } = decision;
          if (run === undefined || !isOfRun(next.kind)) continue;
          const before = 'stage' in next ? next.stage : run.stages.length;
          const steps = run.stages.slice(0, before).map(({ step }) => step.kind);
          expect(steps).to.deep.equal(steps.map(() => 'Ready'));
        }
      }),
    );
  });

  it('keeps the artifacts, the spec and the stages that it started with', () => {
    fc.assert(
      fc.property(lives, (moments) => {
        const runs = new Map<string, RunProgress>();
        for (const { run } of moments.map(({ decision }) => decision)) {
          if (run === undefined) continue;
          const key = `${run.id}/${run.startedAt}`;
          const first = runs.get(key) ?? run;
          runs.set(key, first);
          expect(run.pinned).to.deep.equal(first.pinned);
          expect(run.spec).to.deep.equal(first.spec);
          expect(run.stages.map(({ name }) => name)).to.deep.equal(
            run.spec.stages.map(({ name }) => name),
          );
        }
      }),
    );
  });

  it('is never replaced inside a stage but by a request', () => {
    fc.assert(
      fc.property(lives, (moments) => {
        for (const { snapshot, decision } of moments) {
          const before = snapshot.run;
          if (before === undefined || before.startedAt === decision.run?.startedAt) continue;
          if (before.outcome !== undefined) continue;
          const busy = before.stages.some(
            ({ step }) => step.kind === 'Applying' || isOpen(step, snapshot.now),
          );
          if (busy) expect(decision.run?.requestedAt).not.to.equal(before.requestedAt);
        }
      }),
    );
  });

  it('never rests until a time that has passed', () => {
    fc.assert(
      fc.property(lives, (moments) => {
        for (const { snapshot, decision } of moments) {
          const { next } = decision;
          if (next.kind !== 'Rest' || next.wakeAt === undefined) continue;
          expect(next.wakeAt).to.be.at.least(snapshot.now);
        }
      }),
    );
  });

  it('is decided by its snapshot alone', () => {
    fc.assert(
      fc.property(lives, (moments) => {
        for (const { snapshot, decision } of moments) {
          expect(decide(structuredClone(snapshot))).to.deep.equal(decision);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('goes on while the StageSet is suspended or its spec is refused only to put back what it replaces', () => {
    const problems = [{ path: 'spec', message: 'is wrong' }];
    fc.assert(
      fc.property(lives, (moments) => {
        for (const { snapshot } of moments.slice(1)) {
          const { stageSet } = snapshot;
          const suspended = { ...snapshot.spec, suspend: true };
          const asleep = {
            ...snapshot,
            spec: suspended,
            stageSet: { ...stageSet, spec: suspended },
          };
          const replaces = snapshot.run?.stages.some(isReplacing) === true;
          for (const held of [asleep, { ...snapshot, problems }]) {
            const { run, next } = decide(held);
            if (replaces && run !== undefined) {
              expect(run.stages.some(isReplacing)).to.equal(true);
              continue;
            }
            expect(next.kind).to.equal('Rest');
            expect(run).to.equal(undefined);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it('does nothing but its teardown once the StageSet is deleted', () => {
    fc.assert(
      fc.property(lives, (moments) => {
        for (const { snapshot } of moments.slice(1)) {
          const deletionTimestamp = new Date(snapshot.now).toISOString();
          const metadata = { ...snapshot.stageSet.metadata, deletionTimestamp };
          const deleted = { ...snapshot, stageSet: { ...snapshot.stageSet, metadata } };
          expect(decide(deleted).next).to.deep.equal({ kind: 'LoadTeardown' });
        }
      }),
      { numRuns: 50 },
    );
  });
});

function isOfRun(kind: string): boolean {
  return ['PrepareStage', 'ApplyGroup', 'LookAtHealth', 'Prune'].includes(kind);
}

/** Whether a wait goes on: there is time left, nothing failed, and something is not current yet. */
function isOpen(step: StageStep, now: Instant): boolean {
  if (step.kind !== 'Establishing' && step.kind !== 'Verifying') return false;
  const seen = step.health.map(({ status }) => status);
  if (between(step.since, now) >= step.bound) return false;
  return !seen.includes('Failed') && seen.some((status) => status !== 'Current');
}
