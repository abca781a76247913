import { expect } from 'chai';
import { beyondStored } from '../../../src/planning/beyond-stored.ts';
import type { MetricSource, StageSetSpec } from '../../../src/types/stages.ts';
import { specOf } from '../core/snapshot-builder.ts';

const own: MetricSource = { prometheus: { address: 'http://metrics.team', query: 'budget' } };
const stranger: MetricSource = {
  webhook: {
    url: 'http://evil.example.com',
    jsonPath: '{.a}',
    secretRef: { name: 'token-of-all' },
  },
};

function withBudget(source: MetricSource): StageSetSpec {
  return specOf(['dev'], { errorBudget: { source, freezeThreshold: '0.5' } });
}

function pathsOf(supposed: StageSetSpec, stored: StageSetSpec): string[] {
  return beyondStored(supposed, stored, 'team').map(({ path }) => path);
}

describe('attack 135: a plan of a spec whose metrics lead elsewhere, with the token of some Secret (a plan reads no metric that the stored spec does not, StagePlan)', () => {
  it('is refused for a budget, of the run and of a stage', () => {
    expect(pathsOf(withBudget(stranger), withBudget(own))).to.deep.equal([
      'spec.errorBudget.source',
    ]);
    const [dev] = specOf(['dev']).stages;
    if (dev === undefined) throw new Error('there is a stage');
    const errorBudget = { source: stranger, freezeThreshold: '0.5' };
    expect(pathsOf({ stages: [{ ...dev, errorBudget }] }, specOf(['dev']))).to.deep.equal([
      'spec.stages[0].errorBudget.source',
    ]);
  });

  it('is refused for an analysis and a fast track', () => {
    const [dev] = specOf(['dev']).stages;
    if (dev === undefined) throw new Error('there is a stage');
    const promotion = {
      soak: '1h',
      analysis: { checks: [{ name: 'up', source: stranger, threshold: { min: '1' } }] },
      fastTrack: { source: stranger, max: '1' },
    };
    expect(pathsOf({ stages: [{ ...dev, promotion }] }, specOf(['dev']))).to.have.length(2);
  });

  it('is answered where only thresholds differ', () => {
    const spec = withBudget(own);
    const other = { ...spec, errorBudget: { source: own, freezeThreshold: '0.9' } };
    expect(pathsOf(other, spec)).to.deep.equal([]);
  });

  it('is refused where the version would come from another object', () => {
    const version = { fromObject: { kind: 'ConfigMap', name: 'rendered' } };
    expect(pathsOf(specOf(['dev'], { version }), specOf(['dev']))).to.deep.equal([
      'spec.version.fromObject',
    ]);
  });
});
