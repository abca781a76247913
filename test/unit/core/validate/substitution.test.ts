import { expect } from 'chai';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import type { PostBuild, StageSetSpec } from '../../../../src/types/stages.ts';

function specWith(postBuild: PostBuild): StageSetSpec {
  return { stages: [{ name: 'dev', sourceRef: { name: 'app' }, postBuild }] };
}

describe('postBuild', () => {
  it('may name variables with letters, digits and underscores', () => {
    const substitute = { region: '', _x: '', cluster_1: '', '9lives': '', größe: '' };
    expect(specProblems(specWith({ substitute }))).to.deep.equal([]);
  });

  for (const name of ['app.name', 'APP-NAME', 'with space', '${x}']) {
    it(`must not name a variable ${name}, which no expression could use`, () => {
      expect(specProblems(specWith({ substitute: { [name]: 'secret' } }))).to.deep.equal([
        {
          path: `spec.stages[0].postBuild.substitute[${name}]`,
          message:
            `the name is a string of ${name.length} characters that no expression can use; ` +
            'name variables with letters, digits and underscores',
        },
      ]);
    });
  }

  it('may refer to a hundred objects and not to more', () => {
    const substituteFrom = Array.from({ length: 101 }, (_, index) => ({
      kind: 'ConfigMap' as const,
      name: `vars-${index}`,
    }));
    expect(specProblems(specWith({ substituteFrom: substituteFrom.slice(1) }))).to.deep.equal([]);
    expect(specProblems(specWith({ substituteFrom }))).to.deep.equal([
      {
        path: 'spec.stages[0].postBuild.substituteFrom',
        message: 'has 101 entries; put the variables into at most 100 objects',
      },
    ]);
  });
});
