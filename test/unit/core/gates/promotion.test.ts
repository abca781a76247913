import { expect } from 'chai';
import { decide } from '../../../../src/core/decide.ts';
import type { GateHold } from '../../../../src/core/gates/gate-hold.ts';
import {
  promoteAnnotation,
  promoteRequest,
} from '../../../../src/core/gates/promote-annotation.ts';
import type { BoundAdvance, Snapshot } from '../../../../src/core/snapshot.ts';
import { nextStatus } from '../../../../src/core/status.ts';
import { after, type Instant, minutes } from '../../../../src/core/time.ts';
import type { Promotion, StageSet } from '../../../../src/types/stages.ts';
import { noon, ready, snapshotOf, specOf, stageSetOf } from '../snapshot-builder.ts';
import { effectsOf, live, type Moment } from '../world.ts';

const command =
  'kubectl --namespace team annotate --overwrite stageset/shop ' +
  'stages.metio.wtf/promote=dev@$(date +%s)@v1';

/** Two stages, the first of which has gates. */
function gated(
  promotion: Promotion,
  stageSet: Partial<Parameters<typeof stageSetOf>[1]> = {},
): Snapshot {
  const spec = specOf(['dev', 'prod'], { interval: '1h', retryInterval: '1h' });
  const [dev, prod] = spec.stages;
  if (dev === undefined || prod === undefined) throw new Error('there are two stages');
  return snapshotOf(stageSetOf({ ...spec, stages: [{ ...dev, promotion }, prod] }, stageSet));
}

/** The world of the last moment, with what the controller has published by then. */
function published(moment: Moment, change: Partial<Snapshot> = {}): Snapshot {
  const { snapshot, decision } = moment;
  const { run, next } = decision;
  const verdict = next.kind === 'Rest' ? next.ready : undefined;
  const { stageSet, now } = snapshot;
  const input = { stageSet, run, verdict, inventories: new Map(), runbookBase: '/', now };
  return { ...snapshot, stageSet: { ...stageSet, status: nextStatus(input) }, run, ...change };
}

function heldAt(snapshot: Snapshot): Moment {
  const moments = live(snapshot, [], 12);
  const index = moments.findIndex(({ decision }) => decision.run?.outcome?.kind === 'Held');
  const moment = moments[index];
  if (moment === undefined) throw new Error(`never held: ${effectsOf(moments).join(', ')}`);
  return moment;
}

function annotated(stageSet: StageSet, value: string): StageSet {
  const annotations = { [promoteAnnotation]: value };
  return { ...stageSet, metadata: { ...stageSet.metadata, annotations } };
}

function phasesOf(snapshot: Snapshot): (string | undefined)[] {
  return decide(snapshot).run?.stages.map(({ step }) => step.kind) ?? [];
}

describe('a stage that soaks', () => {
  it('holds the next one until its time is over, and says how to promote it', () => {
    const { snapshot, decision } = heldAt(gated({ soak: '10m' }));
    const until = new Date(Math.ceil((snapshot.now + 600_000) / 1000) * 1000);
    const end = until.toISOString().replace('.000', '');
    expect(decision.run?.stages.map(({ step }) => step.kind)).to.deep.equal(['AtGates', 'Pending']);
    expect(decision.next).to.deep.include({
      kind: 'Rest',
      ready: {
        status: 'False',
        reason: 'Soaking',
        message: `Stage dev is healthy and soaks until ${end}; to promote it now: ${command}`,
      },
    });
  });

  it('goes on at the very instant at which its soak ends', () => {
    const held = heldAt(gated({ soak: '10m' }));
    const world = published(held);
    const { hold } = outcomeOf(world);
    const wakeAt = held.decision.next.kind === 'Rest' ? held.decision.next.wakeAt : undefined;
    expect(wakeAt).to.equal(hold.until);
    expect(phasesOf({ ...world, now: (wakeAt! - 1) as Instant })).to.deep.equal([
      'AtGates',
      'Pending',
    ]);
    expect(decide({ ...world, now: wakeAt! }).next).to.deep.equal({
      kind: 'PrepareStage',
      stage: 1,
    });
  });

  it('keeps its end through a restart and an edit that shortens the soak', () => {
    const held = published(heldAt(gated({ soak: '10m' })));
    const until = held.stageSet.status?.stages?.[0]?.promotionState?.soakUntil;
    const { spec } = gated({ soak: '1s' });
    const stageSet = { ...held.stageSet, spec };
    const restarted = heldAt({
      ...held,
      stageSet,
      spec,
      run: undefined,
      now: after(noon, minutes(5)),
    });
    const state = published(restarted).stageSet.status?.stages?.[0]?.promotionState;
    expect(state?.soakUntil).to.equal(until);
  });

  it('soaks anew for another revision', () => {
    const held = published(heldAt(gated({ soak: '10m' })));
    const sources = [ready('dev', 'v2'), ready('prod', 'v2')];
    const later = heldAt({ ...held, sources, now: after(noon, minutes(9)) });
    expect(outcomeOf(published(later)).hold.until).to.be.greaterThan(after(noon, minutes(19)));
  });

  it('gives way to a newer revision', () => {
    const held = published(heldAt(gated({ soak: '10m' })));
    const sources = [ready('dev', 'v2'), ready('prod', 'v2')];
    expect(decide({ ...held, sources }).next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
  });

  it('is not held again once it was promoted, whatever is re-asserted', () => {
    const moments = live(gated({ soak: '10m' }), [], 60);
    const last = moments.at(-1);
    expect(last?.decision.run?.outcome?.kind).to.equal('Succeeded');
    const state = { phase: 'Promoted', since: '2026-01-01T12:10:01Z' } as const;
    const status = { stages: [{ name: 'dev', appliedRevision: 'v1', promotionState: state }] };
    const again = live(gated({ soak: '10m' }, { status }), [], 60);
    expect(effectsOf(again).filter((effect) => effect.includes('Soaking'))).to.deep.equal([]);
  });

  it('has its end at a restart only from the revision that it was recorded for', () => {
    const state = { phase: 'Promoted', since: '2026-01-01T11:00:00Z' } as const;
    const status = { stages: [{ name: 'dev', appliedRevision: 'v0', promotionState: state }] };
    expect(outcomeOf(published(heldAt(gated({ soak: '10m' }, { status })))).hold.reason).to.equal(
      'Soaking',
    );
  });
});

describe('a stage that a person promotes', () => {
  const waiting = (): Snapshot => published(heldAt(gated({ requireManualPromotion: true })));

  it('waits for that, and shows the command', () => {
    const { hold } = outcomeOf(waiting());
    expect(hold.reason).to.equal('AwaitingPromotion');
    expect(hold.message).to.equal(
      `Stage dev is healthy and waits for promotion by hand: ${command}`,
    );
    expect(hold.holds).to.have.length(1);
    expect(hold.holds[0]).to.deep.include({ gate: 'ManualPromotion', releasedBy: 'Person' });
  });

  it('goes on when the annotation says so, and remembers the token', () => {
    const world = waiting();
    const decision = decide({ ...world, stageSet: annotated(world.stageSet, 'dev@1') });
    expect(decision.next).to.deep.equal({ kind: 'PrepareStage', stage: 1 });
    const stageSet = annotated(world.stageSet, 'dev@1');
    const input = { stageSet, run: decision.run, verdict: undefined, inventories: new Map() };
    const status = nextStatus({ ...input, runbookBase: '/', now: noon });
    expect(status.stages?.[0]).to.deep.include({ phase: 'Ready', lastHandledPromotion: '1' });
  });

  it('is not promoted by a token that was handled before', () => {
    const status = { stages: [{ name: 'dev', lastHandledPromotion: '1' }] };
    const metadata = { annotations: { [promoteAnnotation]: 'dev@1' } };
    const snapshot = gated({ requireManualPromotion: true }, { status, metadata });
    expect(outcomeOf(published(heldAt(snapshot))).hold.reason).to.equal('AwaitingPromotion');
  });

  it('is not promoted by a token for another stage or another revision', () => {
    const world = waiting();
    for (const value of ['prod@1', 'dev@1@v2', 'dev@', '@1', 'dev']) {
      expect(
        phasesOf({ ...world, stageSet: annotated(world.stageSet, value) }),
        value,
      ).to.deep.equal(['AtGates', 'Pending']);
    }
    expect(phasesOf({ ...world, stageSet: annotated(world.stageSet, 'dev@1@v1') })).to.deep.equal([
      'Ready',
      'Pending',
    ]);
  });

  it('is promoted by an advance of its run, and of no other', () => {
    const world = waiting();
    const runId = world.run?.id ?? '';
    const advance = {
      at: '2026-01-01T12:00:00Z',
      stage: 'dev',
      gate: 'ManualPromotion',
      via: 'API',
    } as const;
    const advances = (id: string): BoundAdvance[] => [{ runId: id, advance }];
    expect(phasesOf({ ...world, advances: advances('another') })[0]).to.equal('AtGates');
    expect(phasesOf({ ...world, advances: advances(runId) })[0]).to.equal('Ready');
  });

  it('still soaks when it was approved before the end', () => {
    const world = published(heldAt(gated({ soak: '10m', requireManualPromotion: true })));
    const runId = world.run?.id ?? '';
    const { hold } = outcomeOf(world);
    expect(hold.holds.map(({ gate }) => gate)).to.deep.equal(['Soak', 'ManualPromotion']);
    const advance = {
      at: '2026-01-01T12:00:00Z',
      stage: 'dev',
      gate: 'ManualPromotion',
      via: 'API',
    } as const;
    const approved = { ...world, advances: [{ runId, advance }] };
    expect(phasesOf(approved)[0]).to.equal('AtGates');
    expect(phasesOf({ ...approved, now: hold.until! })[0]).to.equal('Ready');
  });
});

describe('the promote annotation', () => {
  it('is read as stage, token and, where there is one, revision', () => {
    const read = (value: string): unknown =>
      promoteRequest(annotated(stageSetOf(specOf(['dev'])), value));
    expect(read('dev@123')).to.deep.equal({ stage: 'dev', token: '123', revision: undefined });
    expect(read('dev@123@main@sha1:abc')).to.deep.equal({
      stage: 'dev',
      token: '123@main@sha1:abc',
      revision: 'main@sha1:abc',
    });
    for (const value of ['', 'dev', '@1', 'dev@', 'dev@1@', 'dev@@v1']) {
      expect(read(value), value).to.equal(undefined);
    }
  });
});

function outcomeOf({ run }: Snapshot): { hold: GateHold } {
  if (run?.outcome?.kind !== 'Held') throw new Error('the run is not held');
  return run.outcome;
}
