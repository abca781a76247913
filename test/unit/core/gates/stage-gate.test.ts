import { expect } from 'chai';
import { stageGate } from '../../../../src/core/gates/stage-gate.ts';
import type { StageSet } from '../../../../src/types/stages.ts';

const named = { namespace: 'team', stageSet: 'shop', stage: 'web' };

type StageStatus = NonNullable<NonNullable<StageSet['status']>['stages']>[number];

function shop(web: Partial<StageStatus>, observedGeneration = 3): StageSet {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: { name: 'shop', namespace: 'team', generation: 3 },
    status: { observedGeneration, stages: [{ name: 'web', ...web }] },
  };
}

describe('the gate of a stage', () => {
  it('is open while its phase is Ready', () => {
    const ready = shop({ phase: 'Ready', appliedRevision: 'v1@sha256:1', message: 'secret' });
    expect(stageGate(named, ready)).to.deep.equal({
      ready: true,
      namespace: 'team',
      stageset: 'shop',
      stage: 'web',
      phase: 'Ready',
      revision: 'v1@sha256:1',
      observed: { generation: 3, observedGeneration: 3, promotion: '' },
    });
  });

  for (const phase of ['Pending', 'Applying', 'Verifying', 'Pruning', 'Failed'] as const) {
    it(`is closed while its phase is ${phase}`, () => {
      const gate = stageGate(named, shop({ phase, appliedRevision: 'v1@sha256:1' }));
      expect(gate).to.include({ ready: false, phase, revision: 'v1@sha256:1' });
    });
  }

  it('is closed for a stage without a phase, for an unknown one and for an unknown StageSet', () => {
    expect(stageGate(named, shop({}))).to.include({ ready: false, phase: '', revision: '' });
    const closed = {
      ready: false,
      namespace: 'team',
      stageset: 'shop',
      stage: 'other',
      phase: '',
      revision: '',
    };
    const other = { ...named, stage: 'other' };
    expect(stageGate(other, shop({ phase: 'Ready' }))).to.deep.equal(closed);
    expect(stageGate(other, undefined)).to.deep.equal(closed);
  });

  it('[gap] tells beside it that a promotion gate holds, or that the phase is of an older spec (part B 7.2)', () => {
    const held = shop({ phase: 'Verifying', promotionState: { phase: 'Soaking' } });
    expect(stageGate(named, held)).to.deep.include({
      ready: false,
      observed: { generation: 3, observedGeneration: 3, promotion: 'Soaking' },
    });
    const older = shop({ phase: 'Ready', promotionState: { phase: 'Promoted' } }, 2);
    expect(stageGate(named, older)).to.deep.include({
      ready: true,
      observed: { generation: 3, observedGeneration: 2, promotion: 'Promoted' },
    });
  });
});
