import { expect } from 'chai';
import { unsupportedFields } from '../../../../src/core/validate/unsupported.ts';
import type { Stage, StageSetSpec } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

function pathsOf(spec: StageSetSpec): string[] {
  return unsupportedFields(spec).map(({ path }) => path);
}

function pathsOfStage(rest: Partial<Stage>): string[] {
  return pathsOf({ stages: [{ name: 'dev', sourceRef: { name: 'dev' }, ...rest }] });
}

describe('a field that this build cannot carry out', () => {
  const inSpec: [Partial<StageSetSpec>, string][] = [
    [{ version: { value: '1.0.0' } }, 'spec.version'],
    [{ rollbackOnFailure: true }, 'spec.rollbackOnFailure'],
  ];
  for (const [spec, path] of inSpec) {
    it(`is refused: ${path}`, () => {
      expect(pathsOf(specOf(['dev'], spec))).to.deep.equal([path]);
    });
  }

  const inStage: [Partial<Stage>, string][] = [
    [{ errorBudget: { source: {}, freezeThreshold: '1' } }, 'errorBudget'],
  ];
  for (const [stage, field] of inStage) {
    it(`is refused in a stage: ${field}`, () => {
      expect(pathsOfStage(stage)).to.deep.equal([`spec.stages[0].${field}`]);
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

  it('is named with the stage that has it, and says what to do', () => {
    const [dev, prod] = specOf(['dev', 'prod']).stages;
    if (dev === undefined || prod === undefined) throw new Error('there are two stages');
    expect(
      unsupportedFields({
        stages: [dev, { ...prod, errorBudget: { source: {}, freezeThreshold: '1' } }],
      }),
    ).to.deep.equal([
      {
        path: 'spec.stages[1].errorBudget',
        message:
          'this build of the controller cannot carry it out yet and will not release without it; ' +
          'remove the field or use a build that has it',
      },
    ]);
  });
});
