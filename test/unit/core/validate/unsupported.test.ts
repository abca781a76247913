import { expect } from 'chai';
import { unsupportedFields } from '../../../../src/core/validate/unsupported.ts';
import type { StageSetSpec } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

function pathsOf(spec: StageSetSpec): string[] {
  return unsupportedFields(spec).map(({ path }) => path);
}

describe('a field that this build cannot carry out', () => {
  const inSpec: [Partial<StageSetSpec>, string][] = [
    [{ rollbackOnFailure: true }, 'spec.rollbackOnFailure'],
  ];
  for (const [spec, path] of inSpec) {
    it(`is refused: ${path}`, () => {
      expect(pathsOf(specOf(['dev'], spec))).to.deep.equal([path]);
    });
  }

  it('is passed over while it asks for nothing', () => {
    const spec = specOf(['dev'], {
      migrations: [],
      updateWindows: [],
      rollbackOnFailure: false,
    });
    expect(pathsOf(spec)).to.deep.equal([]);
  });

  it('is named, and says what to do', () => {
    const [dev] = specOf(['dev']).stages;
    if (dev === undefined) throw new Error('there is a stage');
    expect(unsupportedFields({ stages: [dev], rollbackOnFailure: true })).to.deep.equal([
      {
        path: 'spec.rollbackOnFailure',
        message:
          'this build of the controller cannot carry it out yet and will not release without it; ' +
          'remove the field or use a build that has it',
      },
    ]);
  });
});
