import { expect } from 'chai';
import { admissionProblems } from '../../../../src/core/validate/admission.ts';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import { specOf, stageSetOf } from '../snapshot-builder.ts';

const rules = { crossNamespaceReferences: 'Allowed' } as const;

describe('what is refused at the door and tolerated inside', () => {
  it('is a duration below zero, which the controller takes for absent', () => {
    const { stages } = specOf(['dev']);
    const spec = {
      interval: '-10m',
      retryInterval: '-0s',
      driftDetectionInterval: '+5m',
      timeout: '-1ns',
      stages: stages.map((stage) => ({
        ...stage,
        timeout: '-1h',
        readyChecks: { timeout: '-0.5s' },
        promotion: { soak: '-1h' },
      })),
    };
    expect(specProblems(spec)).to.deep.equal([]);
    expect(admissionProblems(stageSetOf(spec), rules)).to.deep.equal(
      [
        'spec.interval',
        'spec.timeout',
        'spec.stages[0].timeout',
        'spec.stages[0].readyChecks.timeout',
        'spec.stages[0].promotion.soak',
      ].map((path) => ({ path, message: 'must not be negative; leave it out for the default' })),
    );
  });

  it('is a StageSet that depends on itself, which would be Stalled', () => {
    const dependsOn = [
      { name: 'base' },
      { name: 'shop' },
      { name: 'shop', namespace: 'team' },
      { name: 'shop', namespace: '' },
      { name: 'shop', namespace: 'other' },
    ];
    expect(admissionProblems(stageSetOf(specOf(['dev'], { dependsOn })), rules)).to.deep.equal(
      [1, 2, 3].map((index) => ({
        path: `spec.dependsOn[${index}]`,
        message: 'is this StageSet itself; remove it',
      })),
    );
  });

  it('is a name that no label can hold', () => {
    const stageSet = stageSetOf(specOf(['dev']), { metadata: { name: 'a'.repeat(64) } });
    expect(admissionProblems(stageSet, rules)).to.deep.equal([
      { path: 'metadata.name', message: 'has 64 characters; at most 63 fit into a label' },
    ]);
  });

  it('is nothing of a StageSet without a spec', () => {
    const { apiVersion, kind, metadata } = stageSetOf(specOf(['dev']));
    expect(admissionProblems({ apiVersion, kind, metadata }, rules)).to.deep.equal([]);
  });
});
