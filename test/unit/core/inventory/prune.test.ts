import { expect } from 'chai';
import fc from 'fast-check';
import { planPrune } from '../../../../src/core/inventory/prune.ts';
import { planTeardown } from '../../../../src/core/inventory/teardown.ts';
import type { InventoryEntry } from '../../../../src/types/stages.ts';
import { entries, ids } from './arbitrary.ts';

function configMap(name: string): InventoryEntry {
  return { id: `shop_${name}__ConfigMap`, v: 'v1' };
}

function recordOf(stage: string, position: number, ...names: string[]) {
  return { stage, position, entries: names.map(configMap) };
}

function desire(stages: Record<string, string[]>): Map<string, InventoryEntry[]> {
  return new Map(Object.entries(stages).map(([stage, names]) => [stage, names.map(configMap)]));
}

describe('pruning after a run', () => {
  it('deletes what a stage no longer renders', () => {
    const plan = planPrune([recordOf('dev', 0, 'old', 'web')], desire({ dev: ['web'] }), [
      { name: 'dev' },
    ]);
    expect(plan).to.deep.equal([
      {
        kind: 'Shrink',
        stage: 'dev',
        deletions: [configMap('old')],
        remaining: [configMap('web')],
      },
    ]);
  });

  it('does nothing when every record is as desired', () => {
    const recorded = [recordOf('dev', 0, 'web'), recordOf('prod', 1, 'api')];
    const desired = desire({ dev: ['web'], prod: ['api'] });
    expect(planPrune(recorded, desired, [{ name: 'dev' }, { name: 'prod' }])).to.deep.equal([]);
  });

  it('keeps an object that moved from one stage to another, and takes it out of the first', () => {
    const recorded = [recordOf('dev', 0, 'web'), recordOf('prod', 1, 'web')];
    const desired = desire({ dev: [], prod: ['web'] });
    expect(planPrune(recorded, desired, [{ name: 'dev' }, { name: 'prod' }])).to.deep.equal([
      { kind: 'Shrink', stage: 'dev', deletions: [], remaining: [] },
    ]);
  });

  it('keeps an object that a removed stage left to another', () => {
    const recorded = [recordOf('old', 0, 'web', 'gone'), recordOf('dev', 0, 'web')];
    expect(planPrune(recorded, desire({ dev: ['web'] }), [{ name: 'dev' }])).to.deep.equal([
      { kind: 'Remove', stage: 'old', deletions: [configMap('gone')] },
    ]);
  });

  it('deletes nothing of a stage with prune: false, but forgets what it dropped', () => {
    const plan = planPrune([recordOf('dev', 0, 'old', 'web')], desire({ dev: ['web'] }), [
      { name: 'dev', prune: false },
    ]);
    expect(plan).to.deep.equal([
      { kind: 'Shrink', stage: 'dev', deletions: [], remaining: [configMap('web')] },
    ]);
  });

  it('goes through stages from last to first, removed ones at the end', () => {
    const recorded = [
      recordOf('gone-b', 1, 'b'),
      recordOf('dev', 0, 'd'),
      recordOf('gone-c', 4, 'c'),
      recordOf('prod', 1, 'p'),
      recordOf('gone-a', 1, 'a'),
    ];
    const desired = desire({ dev: [], prod: [] });
    const plan = planPrune(recorded, desired, [{ name: 'dev' }, { name: 'prod' }]);
    expect(plan.map(({ kind, stage }) => `${kind} ${stage}`)).to.deep.equal([
      'Shrink prod',
      'Shrink dev',
      'Remove gone-c',
      'Remove gone-a',
      'Remove gone-b',
    ]);
  });

  it('takes the position of a stage from the spec, not from an old record', () => {
    const recorded = [recordOf('dev', 9, 'd'), recordOf('prod', 0, 'p')];
    const desired = desire({ dev: [], prod: [] });
    const plan = planPrune(recorded, desired, [{ name: 'dev' }, { name: 'prod' }]);
    expect(plan.map(({ stage }) => stage)).to.deep.equal(['prod', 'dev']);
  });

  it('deletes the objects of a stage in reverse order of application', () => {
    const recorded = {
      stage: 'old',
      position: 0,
      entries: [
        { id: '_shop__Namespace', v: 'v1' },
        { id: '_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition', v: 'v1' },
        { id: 'shop_web__Service', v: 'v1' },
        { id: 'shop_web_apps_Deployment', v: 'v1' },
        { id: 'shop_one_example.com_Widget', v: 'v1' },
      ],
    };
    const [plan] = planPrune([recorded], new Map(), []);
    expect(ids(plan?.deletions ?? [])).to.deep.equal([
      'shop_one_example.com_Widget',
      'shop_web_apps_Deployment',
      'shop_web__Service',
      '_shop__Namespace',
      '_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition',
    ]);
  });

  it('takes all that a stage recorded as wanted when the stage was not built', () => {
    const recorded = [recordOf('dev', 0, 'web'), recordOf('old', 1, 'web', 'gone')];
    expect(planPrune(recorded, new Map(), [{ name: 'dev' }])).to.deep.equal([
      { kind: 'Remove', stage: 'old', deletions: [configMap('gone')] },
    ]);
  });

  it('never deletes an object that a stage wants, and always one that none does', () => {
    const names = ['a', 'b', 'c', 'd'];
    const inventories = fc.record({ a: entries, b: entries, c: entries, d: entries });
    const specs = fc.subarray(names).map((list) => list.map((name) => ({ name })));
    fc.assert(
      fc.property(inventories, inventories, specs, (previous, wishes, stages) => {
        const recorded = names.map((stage, position) => ({
          stage,
          position,
          entries: previous[stage as 'a'],
        }));
        const desired = new Map(stages.map(({ name }) => [name, wishes[name as 'a']]));
        const wanted = new Set([...desired.values()].flatMap(ids));
        const deleted = new Set(
          planPrune(recorded, desired, stages).flatMap(({ deletions }) => ids(deletions)),
        );
        for (const id of recorded.flatMap((record) => ids(record.entries))) {
          expect(deleted.has(id), id).to.equal(!wanted.has(id));
        }
      }),
    );
  });
});

describe('tearing a StageSet down', () => {
  it('goes from the last recorded stage to the first, by name where two share a place', () => {
    const recorded = [recordOf('b', 1, 'b'), recordOf('z', 0, 'z'), recordOf('a', 1, 'a')];
    expect(planTeardown(recorded, [{ name: 'z' }])).to.deep.equal([
      { stage: 'a', deletions: [configMap('a')] },
      { stage: 'b', deletions: [configMap('b')] },
      { stage: 'z', deletions: [configMap('z')] },
    ]);
  });

  it('leaves out a stage with prune: false, and what it shares with another', () => {
    const recorded = [recordOf('dev', 0, 'web', 'api'), recordOf('data', 1, 'web', 'db')];
    expect(planTeardown(recorded, [{ name: 'dev' }, { name: 'data', prune: false }])).to.deep.equal(
      [{ stage: 'dev', deletions: [configMap('api')] }],
    );
  });

  it('includes a stage that left the spec', () => {
    expect(planTeardown([recordOf('old', 0, 'web')], [])).to.deep.equal([
      { stage: 'old', deletions: [configMap('web')] },
    ]);
  });
});
