import { expect } from 'chai';
import {
  type AdvanceQuestion,
  type AdvanceVerdict,
  decideAdvance,
} from '../../../../src/core/history/advance.ts';
import { readAdvance } from '../../../../src/core/history/advance-spec.ts';
import { heldStages } from '../../../../src/core/history/held-stages.ts';
import { parseStageRun } from '../../../../src/core/validate/schema.ts';
import type { Advance, StageRun, StageRunStatus } from '../../../../src/types/stages.ts';
import { noon } from '../snapshot-builder.ts';
import { gatedStageSet, heldStage, runOf } from './runs.ts';

const awaiting = gatedStageSet(
  { requireManualPromotion: true },
  { phase: 'AwaitingManual', since: '2026-01-01T11:00:00Z' },
);
const soaking = gatedStageSet(
  { soak: '2h' },
  { phase: 'Soaking', since: '2026-01-01T11:00:00Z', soakUntil: '2026-01-01T13:00:00Z' },
);
const both = gatedStageSet(
  { soak: '2h', requireManualPromotion: true },
  { phase: 'Soaking', since: '2026-01-01T11:00:00Z', soakUntil: '2026-01-01T13:00:00Z' },
);

function held(status: Partial<StageRunStatus> = {}, sequence = 3): StageRun {
  const stages = [heldStage('Soak'), { name: 'prod', phase: 'Pending' } as const];
  return runOf(sequence, { dev: 'v1', prod: 'v7' }, { phase: 'Held', stages, ...status });
}

function ask(change: Partial<AdvanceQuestion> = {}): AdvanceVerdict {
  return decideAdvance({
    stageSet: awaiting,
    run: held(),
    spec: { stage: 'dev', runId: 'run-3' },
    requester: { user: 'jane', uid: 'u-1', groups: ['oncall'] },
    via: 'API',
    now: noon,
    ...change,
  });
}

const advance: Advance = {
  at: '2026-01-01T11:30:00Z',
  user: 'jane',
  uid: 'u-1',
  stage: 'dev',
  gate: 'ManualPromotion',
  override: false,
  via: 'API',
};

/** The verdict on one line. */
function told(verdict: AdvanceVerdict): string {
  switch (verdict.kind) {
    case 'Record':
    case 'Recorded':
      return `${verdict.kind} ${verdict.advance.gate}`;
    case 'MovedOn':
      return `MovedOn ${verdict.field} ${verdict.current ?? '-'}: ${verdict.message}`;
    case 'Refused':
      return verdict.faults.map(({ field, message }) => `Refused ${field}: ${message}`).join('; ');
    case 'Full':
      return `Full: ${verdict.message}`;
  }
}

const spec = { stage: 'dev', runId: 'run-3' };

const cases: Record<string, [Partial<AdvanceQuestion>, string]> = {
  'passes the only gate, which needs no name': [{}, 'Record ManualPromotion'],
  'passes the named gate': [
    { stageSet: both, spec: { ...spec, gate: 'ManualPromotion' } },
    'Record ManualPromotion',
  ],
  'overrides a soak that still runs': [
    { stageSet: soaking, spec: { ...spec, override: true, reason: 'hotfix' } },
    'Record Soak',
  ],
  'asks for an override where a soak still runs': [
    { stageSet: soaking },
    'Refused spec.override: Invalid value: Stage dev is healthy and soaks until 2026-01-01T13:00:00Z; ' +
      'to pass it now set override to true and give a reason, which takes the verb override on stagesets/advance',
  ],
  'asks which gate where several hold': [
    { stageSet: both },
    'Refused spec.gate: Required value: say which gate: Soak and ManualPromotion hold stage dev',
  ],
  'refuses a gate that does not hold': [
    { spec: { ...spec, gate: 'Analysis' } },
    'Refused spec.gate: Invalid value: gate Analysis does not hold stage dev; ManualPromotion does',
  ],
  'refuses a stage that is not held': [
    { spec: { ...spec, stage: 'prod' } },
    'Refused spec.stage: Invalid value: no gate holds stage prod, which is Pending; stage dev is held',
  ],
  'refuses a stage that is not there': [
    { spec: { ...spec, stage: 'test' } },
    'Refused spec.stage: Invalid value: run run-3 has no such stage; it has dev, prod',
  ],
  'refuses a stage whose gates have been passed, and says by whom': [
    {
      requester: { user: 'joe' },
      run: held({ advances: [{ ...advance, gate: 'ManualPromotion' }] }),
    },
    'Refused spec.stage: Invalid value: no gate holds stage dev, which is Held ' +
      '(ManualPromotion was passed by jane at 2026-01-01T11:30:00Z); no gate holds the run',
  ],
  'refuses another run than the newest, and names that': [
    { run: held({}, 4) },
    'MovedOn spec.runId run-4: run run-3 is no longer the newest: run-4 is; look at it and try again',
  ],
  'refuses where there is no run': [
    { run: undefined },
    'MovedOn spec.runId -: the StageSet has had no run yet',
  ],
  'refuses another revision than that of the run': [
    { spec: { ...spec, revision: 'v0' } },
    'MovedOn spec.revision v1: stage dev is at revision v1 in run run-3, not at v0',
  ],
  'takes the revision of the run': [
    { spec: { ...spec, revision: 'v1' } },
    'Record ManualPromotion',
  ],
  'refuses a run that has ended': [
    { run: held({ phase: 'Failed' }) },
    'MovedOn spec.runId -: run run-3 has ended: Failed',
  ],
  'refuses a run that was superseded': [
    { run: held({ phase: 'Superseded' }) },
    'MovedOn spec.runId -: run run-3 has ended: Superseded',
  ],
  'refuses where the spec has changed since': [
    {
      stageSet: { ...awaiting, metadata: { ...awaiting.metadata, generation: 2 } },
    },
    'MovedOn spec.runId -: the spec of the StageSet has changed since run run-3 began: a new run is about to begin',
  ],
  'refuses for a StageSet that is being deleted': [
    {
      stageSet: {
        ...awaiting,
        metadata: { ...awaiting.metadata, deletionTimestamp: '2026-01-01T11:59:00Z' },
      },
    },
    'MovedOn spec.runId -: the StageSet is being deleted',
  ],
  'says the same to the same request again': [
    { run: held({ advances: [advance] }) },
    'Recorded ManualPromotion',
  ],
  'says the same again when the run has gone on and ended': [
    { run: held({ phase: 'Succeeded', advances: [advance] }) },
    'Recorded ManualPromotion',
  ],
  'says nothing again in a newer run': [
    { run: held({ advances: [advance] }, 4) },
    'MovedOn spec.runId run-4: run run-3 is no longer the newest: run-4 is; look at it and try again',
  ],
  'takes a user of the same name with another uid for another': [
    {
      run: held({ advances: [advance] }),
      requester: { user: 'jane', uid: 'u-2' },
      spec: { ...spec, gate: 'ManualPromotion' },
    },
    'Refused spec.stage: Invalid value: no gate holds stage dev, which is Held ' +
      '(ManualPromotion was passed by jane at 2026-01-01T11:30:00Z); no gate holds the run',
  ],
  'does not take the gate that a user passed for the one that still holds': [
    {
      stageSet: both,
      run: held({ advances: [advance] }),
      spec: { ...spec, override: true, reason: 'hotfix' },
    },
    'Record Soak',
  ],
  'passes no gate of a stage that only waits for health': [
    { run: held({ stages: [{ name: 'dev', phase: 'Held' }] }) },
    'Refused spec.stage: Invalid value: no gate holds stage dev, which is Held; no gate holds the run',
  ],
};

describe('an advance', () => {
  for (const [name, [change, verdict]] of Object.entries(cases)) {
    it(name, () => {
      expect(told(ask(change))).to.equal(verdict);
    });
  }

  it('is recorded with who made it, and behind the others', () => {
    const earlier: Advance = { ...advance, user: 'joe', gate: 'Soak', override: true };
    const verdict = ask({
      stageSet: both,
      run: held({ advances: [earlier] }),
      spec: { ...spec, gate: 'ManualPromotion', reason: 'looks good' },
    });
    if (verdict.kind !== 'Record') throw new Error(told(verdict));
    expect(verdict.status.phase).to.equal('Held');
    expect(verdict.status.advances).to.deep.equal([
      earlier,
      {
        at: '2026-01-01T12:00:00Z',
        user: 'jane',
        uid: 'u-1',
        groups: ['oncall'],
        stage: 'dev',
        gate: 'ManualPromotion',
        override: false,
        reason: 'looks good',
        via: 'API',
      },
    ]);
  });

  it('is recorded so that the record stays valid, whoever makes it', () => {
    const groups = Array.from({ length: 100 }, (_, index) => `${index}-${'g'.repeat(600)}`);
    const requester = { user: 'u'.repeat(900), uid: 'i'.repeat(900), groups };
    const verdict = ask({ requester });
    if (verdict.kind !== 'Record') throw new Error(told(verdict));
    const run = { ...held(), status: verdict.status };
    expect(parseStageRun(run)).to.deep.include({ ok: true });
    expect(told(ask({ requester, run }))).to.equal('Recorded ManualPromotion');
  });

  it('is refused where the record has no room left', () => {
    const many = Array.from({ length: 200 }, () => ({ ...advance, user: 'joe', gate: 'Soak' }));
    expect(told(ask({ run: held({ advances: many }) }))).to.match(/^Full: .*no room/);
    const large = Array.from({ length: 60 }, () => ({
      ...advance,
      user: 'joe',
      gate: 'Soak',
      reason: 'é'.repeat(1000),
    }));
    expect(told(ask({ run: held({ advances: large }) }))).to.match(/^Full: .*no room/);
  });

  it('finds room in a record that is full of changes, whose counts stay', () => {
    const changes = Array.from({ length: 200 }, (_, index) => ({
      verb: 'Updated' as const,
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: `${index}-${'n'.repeat(240)}`,
    }));
    const others = Array.from({ length: 6 }, (_, index) => ({
      name: `other-${index}`,
      phase: 'Ready' as const,
      objects: { updated: 200 },
      changes,
    }));
    const verdict = ask({ run: held({ stages: [heldStage('ManualPromotion'), ...others] }) });
    if (verdict.kind !== 'Record') throw new Error(told(verdict));
    expect(JSON.stringify(verdict.status).length).to.be.below(240 * 1024);
    const [, other] = verdict.status.stages ?? [];
    expect(other?.objects).to.deep.equal({ updated: 200 });
    expect(other?.changes).to.have.length(100);
  });
});

describe('the gates that hold now', () => {
  it('are those of the stage that is held, as the gates themselves tell', () => {
    const [dev, prod] = heldStages({ stageSet: both, run: held() }, noon);
    expect(dev?.holds.map(({ gate, releasedBy }) => `${gate} by ${releasedBy}`)).to.deep.equal([
      'Soak by Time',
      'ManualPromotion by Person',
    ]);
    expect(dev).to.deep.include({ name: 'dev', phase: 'Held', revision: 'v1' });
    expect(prod).to.deep.equal({ name: 'prod', phase: 'Pending', revision: 'v7', holds: [] });
  });

  it('are none where the soak is over', () => {
    const late = Date.parse('2026-01-01T13:00:00Z') as typeof noon;
    expect(heldStages({ stageSet: soaking, run: held() }, late)[0]?.holds).to.deep.equal([]);
  });
});

describe('the body of an advance', () => {
  const reading: Record<string, [unknown, string]> = {
    'names what is missing': [{}, 'spec.stage FieldValueRequired, spec.runId FieldValueRequired'],
    'needs a reason to override': [
      { spec: { ...spec, override: true, reason: ' \n' } },
      'spec.reason FieldValueRequired',
    ],
    'is bounded': [
      { spec: { ...spec, reason: 'x'.repeat(1025) } },
      'spec.reason FieldValueInvalid',
    ],
    'knows its gates': [{ spec: { ...spec, gate: 'Moon' } }, 'spec.gate FieldValueNotSupported'],
    'has one type for each field': [
      { spec: { stage: 1, runId: 'run-3', override: 'yes' } },
      'spec.stage FieldValueInvalid, spec.override FieldValueInvalid',
    ],
    'counts characters, not units of UTF-16': [
      { spec: { ...spec, reason: '🚀'.repeat(1024) } },
      '',
    ],
  };
  for (const [name, [body, faults]] of Object.entries(reading)) {
    it(name, () => {
      const read = readAdvance(body);
      const found = read.ok ? [] : read.faults;
      expect(found.map(({ field, reason }) => `${field} ${reason}`).join(', ')).to.equal(faults);
    });
  }

  it('leaves out what is empty or null, as a merge patch has it', () => {
    expect(
      readAdvance({ spec: { ...spec, gate: null, reason: '', override: null } }),
    ).to.deep.equal({ ok: true, spec });
  });
});
