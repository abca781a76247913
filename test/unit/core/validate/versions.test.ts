import { expect } from 'chai';
import { unreadableVersions, versionProblems } from '../../../../src/core/validate/versions.ts';
import type { VersionSource } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

const fromObject = { kind: 'Deployment', name: 'shop' };
const fromArtifact = { stage: 'dev', path: 'VERSION' };

function problems(version: VersionSource | undefined): string[] {
  const spec = specOf(['dev'], version === undefined ? {} : { version });
  return versionProblems(spec).map(({ path, message }) => `${path}: ${message}`);
}

describe('the version of a spec', () => {
  it('has one source or is left out', () => {
    for (const version of [undefined, { value: '1.0.0' }, { fromObject }, { fromArtifact }]) {
      expect(problems(version)).to.deep.equal([]);
    }
    expect(problems({ value: '', fromObject })).to.deep.equal([]);
  });

  it('has not none and not several', () => {
    const told = 'spec.version: must have exactly one of value, fromObject and fromArtifact; ';
    expect(problems({})).to.deep.equal([`${told}none is set`]);
    expect(problems({ value: '' })).to.deep.equal([`${told}none is set`]);
    expect(problems({ value: '1.0.0', fromObject, fromArtifact })).to.deep.equal([
      `${told}set are value and fromObject and fromArtifact`,
    ]);
  });

  it('can be read, or is not let in', () => {
    const of = (version: VersionSource): string[] =>
      unreadableVersions(specOf(['dev'], { version })).map(
        ({ path, message }) => `${path}: ${message}`,
      );
    expect(of({ value: ' v1.2 ' })).to.deep.equal([]);
    expect(
      of({ fromObject: { ...fromObject, stage: 'dev', fieldPath: '{.spec.tag}' } }),
    ).to.deep.equal([]);
    expect(of({ value: 'latest' })).to.deep.equal([
      'spec.version.value: is "latest", which is no semantic version such as 2.0.0',
    ]);
    expect(of({ fromObject: { ...fromObject, stage: 'prod', fieldPath: '{.spec' } })).to.deep.equal(
      [
        'spec.version.fromObject.stage: is prod, and no stage is called so',
        'spec.version.fromObject.fieldPath: has a "{" that is not closed',
      ],
    );
    expect(of({ fromArtifact: { stage: '', path: 'VERSION' } })).to.deep.equal([
      'spec.version.fromArtifact.stage: is empty; name a stage',
    ]);
  });
});
