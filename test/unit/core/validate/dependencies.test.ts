import { expect } from 'chai';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import { specOf } from '../snapshot-builder.ts';

describe('spec.dependsOn', () => {
  it('may ask for a version as people write them', () => {
    const dependsOn = ['1.4.0', 'v1.4', '2', '1.0.0-rc.1'].map((minVersion) => ({
      name: 'base',
      minVersion,
    }));
    expect(specProblems(specOf(['dev'], { dependsOn }))).to.deep.equal([]);
  });

  it('is refused without a name or with a minVersion that is no version', () => {
    const dependsOn = [{ name: '' }, { name: 'base' }, { name: 'base', minVersion: '>=1.4' }];
    expect(specProblems(specOf(['dev'], { dependsOn }))).to.deep.equal([
      { path: 'spec.dependsOn[0].name', message: 'is empty; name a StageSet' },
      {
        path: 'spec.dependsOn[2].minVersion',
        message: 'is >=1.4, which is no semantic version such as 1.4.0',
      },
    ]);
  });
});
