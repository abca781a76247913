import { expect } from 'chai';
import { sourceProblems } from '../../../../src/core/validate/sources.ts';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import type { SourceReference } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

function problemsOf(...references: SourceReference[]): unknown {
  const stages = references.map((sourceRef, index) => ({ name: `s${index}`, sourceRef }));
  return sourceProblems({ stages });
}

describe('the sources of a spec', () => {
  it('need no apiVersion where they are kinds of Flux, and one where they are producers', () => {
    expect(
      problemsOf(
        { name: 'a' },
        { name: 'b', kind: '' },
        { name: 'c', kind: 'Bucket' },
        { name: 'd', kind: 'Recipe', apiVersion: 'build.example.com/v1' },
        { name: 'e', kind: 'Recipe' },
        { name: 'f', kind: 'Recipe', apiVersion: '' },
      ),
    ).to.deep.equal(
      ['e', 'f'].map((name, index) => ({
        path: `spec.stages[${index + 4}].sourceRef.apiVersion`,
        message:
          `sourceRef to Recipe ${name} has no apiVersion: the API group of a producer of ` +
          'ExternalArtifacts is needed to find its artifact; set sourceRef.apiVersion',
      })),
    );
  });

  it('need a name', () => {
    expect(problemsOf({ name: '' })).to.deep.equal([
      { path: 'spec.stages[0].sourceRef.name', message: 'is empty; name a source' },
    ]);
  });
});

describe('the name of a stage', () => {
  it('fits into a label', () => {
    expect(specProblems(specOf(['a'.repeat(63)]))).to.deep.equal([]);
    expect(specProblems(specOf(['a'.repeat(64)]))).to.deep.equal([
      {
        path: 'spec.stages[0].name',
        message: 'has 64 characters; at most 63 fit into a label',
      },
    ]);
  });
});
