import { expect } from 'chai';
import { decide } from '../../../src/core/decide.ts';
import { nextStatus } from '../../../src/core/status.ts';
import { after, minutes } from '../../../src/core/time.ts';
import type {
  Action,
  StageActions,
  StageLedger,
  StageSetStatus,
} from '../../../src/types/stages.ts';
import { noon, snapshotOf, specOf, stageSetOf } from './snapshot-builder.ts';
import { effectsOf, type Happening, live } from './world.ts';

function http(name: string, rest: Partial<Action> = {}): Action {
  return { name, http: { url: 'https://hooks.example/' }, ...rest };
}

function effects(actions: StageActions, happenings: readonly Happening[] = []): string[] {
  const spec = specOf(['dev']);
  const [stage] = spec.stages;
  if (stage === undefined) throw new Error('there is a stage');
  const world = snapshotOf(stageSetOf({ ...spec, stages: [{ ...stage, actions }] }));
  return effectsOf(live(world, happenings)).map((effect) => effect.replace(/ 0$/, ''));
}

describe('the actions of a stage', () => {
  it('are done before it is built and after it is healthy, each on record before the next', () => {
    const seen = effects({ pre: [http('one'), http('two')], post: [http('three')] });
    expect(seen.filter((effect) => !effect.startsWith('Rest'))).to.deep.equal([
      'AddFinalizer',
      'EnterStage',
      'SaveLedgers',
      'RunAction',
      'SaveLedgers',
      'RunAction',
      'SaveLedgers',
      'PrepareStage',
      'ApplyGroup',
      'LookAtHealth',
      'ApplyGroup',
      'LookAtHealth',
      'SaveLedgers',
      'RunAction',
      'SaveLedgers',
      'Prune',
    ]);
  });
});
