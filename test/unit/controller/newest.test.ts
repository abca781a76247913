import { expect } from 'chai';
import fc from 'fast-check';
import { newest } from '../../../src/controller/newest.ts';
import type { StageSet } from '../../../src/types/stages.ts';
import { specOf, stageSetOf } from '../core/snapshot-builder.ts';

function copy(resourceVersion: string, stage: string, phase?: 'Ready' | 'Failed'): StageSet {
  const status = phase === undefined ? undefined : { stages: [{ name: stage, phase }] };
  return stageSetOf(specOf([stage]), { metadata: { resourceVersion }, status });
}

describe('of two copies of a StageSet', () => {
  it('the one that was observed counts when we have none', () => {
    const observed = copy('5', 'dev', 'Ready');
    expect(newest(undefined, observed)).to.equal(observed);
  });

  it('ours counts while the watch has not caught up with it', () => {
    const ours = copy('10', 'dev', 'Ready');
    expect(newest(ours, copy('9', 'old'))).to.equal(ours);
    expect(newest(ours, copy('10', 'dev'))).to.equal(ours);
  });

  it('the observed one counts when it is newer, with the status that we wrote', () => {
    const ours = copy('99', 'dev', 'Ready');
    const observed = copy('100', 'edited', 'Failed');
    const { spec, status, metadata } = newest(ours, observed);
    expect(spec).to.deep.equal(observed.spec);
    expect(metadata).to.deep.equal(observed.metadata);
    expect(status).to.deep.equal(ours.status);
  });

  it('the observed one counts with its own status when we never wrote one', () => {
    const observed = copy('100', 'dev', 'Failed');
    expect(newest(copy('99', 'dev'), observed)).to.equal(observed);
  });

  it('the observed one counts when it is another StageSet of the same name', () => {
    const observed = stageSetOf(specOf(['new']), { metadata: { uid: 'b', resourceVersion: '1' } });
    expect(newest(copy('100', 'dev', 'Ready'), observed)).to.equal(observed);
  });

  it('is told by the number of its version, however long that is', () => {
    const versions = fc.bigInt({ min: 1n, max: 10n ** 30n });
    fc.assert(
      fc.property(versions, versions, (left, right) => {
        const ours = copy(left.toString(), 'ours');
        const observed = copy(right.toString(), 'observed');
        expect(newest(ours, observed)).to.equal(right > left ? observed : ours);
      }),
    );
  });
});
