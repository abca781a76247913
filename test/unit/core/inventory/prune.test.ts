import { expect } from 'chai';
import fc from 'fast-check';
import { planPrune } from '../../../../src/core/inventory/prune.ts';
import { union } from '../../../../src/core/inventory/sets.ts';
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

describe('runs and prunes in turn, whatever stages want', () => {
  const names = ['a', 'b', 'c', 'd'];

  /** What each stage of one release wants: every object in one stage at most. */
  const release = fc
    .tuple(
      entries,
      fc.array(fc.nat({ max: 3 }), { minLength: 12, maxLength: 12 }),
      fc.subarray(names),
    )
    .map(([objects, places, stages]) => {
      const wishes = new Map<string, InventoryEntry[]>(stages.map((name) => [name, []]));
      for (const [index, object] of objects.entries()) {
        wishes.get(names[places[index] ?? 0] ?? '')?.push(object);
      }
      return wishes;
    });

  interface World {
    /** The objects that exist. */
    readonly objects: Set<string>;
    readonly records: Map<string, { stage: string; position: number; entries: InventoryEntry[] }>;
  }

  /** Carries a run out up to so many applied stages; it prunes only if that is all of them. */
  function runOnce(
    world: World,
    wishes: ReadonlyMap<string, InventoryEntry[]>,
    reached: number,
  ): void {
    const stages = [...wishes.keys()].map((name) => ({ name }));
    for (const [position, { name }] of stages.slice(0, reached).entries()) {
      const wanted = wishes.get(name) ?? [];
      const before = world.records.get(name)?.entries ?? [];
      world.records.set(name, { stage: name, position, entries: union(before, wanted) });
      for (const { id } of wanted) world.objects.add(id);
    }
    if (reached < stages.length) return;
    for (const step of planPrune([...world.records.values()], wishes, stages)) {
      for (const { id } of step.deletions) world.objects.delete(id);
      const record = world.records.get(step.stage);
      if (step.kind === 'Remove' || record === undefined) world.records.delete(step.stage);
      else world.records.set(step.stage, { ...record, entries: [...step.remaining] });
    }
  }

  function emptyWorld(): World {
    return { objects: new Set(), records: new Map() };
  }

  it('leave exactly what the last release wants, however many runs before it were cut short', () => {
    const attempts = fc.array(fc.tuple(release, fc.nat({ max: 4 })), { maxLength: 6 });
    fc.assert(
      fc.property(attempts, release, (before, last) => {
        const world = emptyWorld();
        for (const [wishes, reached] of before) {
          runOnce(world, wishes, Math.min(reached, wishes.size));
        }
        runOnce(world, last, last.size);
        const wanted = [...last.values()].flatMap(ids);
        expect([...world.objects].sort()).to.deep.equal(wanted.sort());
        for (const [stage, list] of last) {
          expect(ids(world.records.get(stage)?.entries ?? []).sort()).to.deep.equal(
            ids(list).sort(),
          );
        }
        expect([...world.records.keys()].sort()).to.deep.equal([...last.keys()].sort());
      }),
    );
  });

  it('never have an object without a record of it', () => {
    const attempts = fc.array(fc.tuple(release, fc.nat({ max: 4 })), { maxLength: 8 });
    fc.assert(
      fc.property(attempts, (all) => {
        const world = emptyWorld();
        for (const [wishes, reached] of all) {
          runOnce(world, wishes, Math.min(reached, wishes.size));
          const recorded = new Set(
            [...world.records.values()].flatMap((record) => ids(record.entries)),
          );
          expect([...world.objects].filter((id) => !recorded.has(id))).to.deep.equal([]);
        }
      }),
    );
  });

  it('prune nothing when stages only change places', () => {
    fc.assert(
      fc.property(release, fc.nat(), (wishes, turn) => {
        const world = emptyWorld();
        runOnce(world, wishes, wishes.size);
        const list = [...wishes];
        const cut = list.length === 0 ? 0 : turn % list.length;
        const turned = [...list.slice(cut), ...list.slice(0, cut)];
        const stages = turned.map(([name]) => ({ name }));
        expect(planPrune([...world.records.values()], new Map(turned), stages)).to.deep.equal([]);
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
