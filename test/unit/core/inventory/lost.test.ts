import { expect } from 'chai';
import fc from 'fast-check';
import { lostStages, type ShardedRecord } from '../../../../src/core/inventory/lost.ts';
import { entriesOf } from '../../../../src/core/inventory/read.ts';
import { searchFor } from '../../../../src/core/inventory/search.ts';
import { shardsFor } from '../../../../src/core/inventory/shards.ts';
import type { InventoryEntry, StageInventory } from '../../../../src/types/stages.ts';
import { entries } from './arbitrary.ts';

const stageSet = { metadata: { name: 'shop', namespace: 'team', uid: 'uid-1' } };

function secrets(...names: string[]): InventoryEntry[] {
  return names.map((name) => ({ id: `team_${name}__Secret`, v: 'v1' }));
}

function pack(list: readonly InventoryEntry[], cap = 2): StageInventory[] {
  return shardsFor({ stageSet, stage: 'dev', position: 0, entries: list, cap });
}

function recordOf(shards: readonly StageInventory[]): ReadonlyMap<string, ShardedRecord> {
  const { entries: list, position } = entriesOf(shards);
  return new Map([['dev', { stage: 'dev', position, entries: list, shards }]]);
}

/** Stages that are lost, by what the status says of `dev` and what is stored of it. */
function lost(
  status: { appliedRevision?: string; shards?: number; entriesCount?: number } | undefined,
  stored: ReadonlyMap<string, ShardedRecord> = new Map(),
): string[] {
  const statuses = status === undefined ? [] : [{ name: 'dev', ...status }];
  return lostStages([{ name: 'dev' }], statuses, stored);
}

const all = pack(secrets('a', 'b', 'c', 'd', 'e'));
const whole = { appliedRevision: 'v1', shards: 3, entriesCount: 5 };

describe('a stage whose inventory is not stored', () => {
  const cases: [string, Parameters<typeof lost>, boolean][] = [
    ['is lost when it has applied something', [{ appliedRevision: 'v1' }], true],
    ['is new when it has applied nothing', [{}], false],
    ['is new when no status knows of it', [undefined], false],
    ['is not lost while all its shards are there', [whole, recordOf(all)], false],
    ['is lost in part when the middle is missing', [whole, recordOf([all[0]!, all[2]!])], true],
    ['is lost in part when the first is missing', [whole, recordOf(all.slice(1))], true],
    ['is lost in part when the last is missing', [whole, recordOf(all.slice(0, 2))], true],
    [
      'is lost in part by the gap alone, whatever the status says',
      [undefined, recordOf([all[0]!, all[2]!])],
      true,
    ],
    [
      'is not lost when another cap packs it into fewer shards',
      [whole, recordOf(pack(secrets('a', 'b', 'c', 'd', 'e'), 9))],
      false,
    ],
    [
      'is not lost when a stop came between the prune and the status',
      [{ ...whole, entriesCount: 6 }, recordOf(all)],
      false,
    ],
    [
      'is not lost for a shard of an older scheme beside the others',
      [whole, recordOf([...all, { ...all[0]!, metadata: { name: 'old', labels: {} } }])],
      false,
    ],
  ];
  for (const [title, given, expected] of cases) {
    it(title, () => {
      expect(lost(...given)).to.deep.equal(expected ? ['dev'] : []);
    });
  }

  it('is never taken for lost while all is stored, and always when a shard is gone', () => {
    const caps = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(entries, caps, fc.nat(), (list, cap, pick) => {
        const shards = pack(list, cap);
        const status = {
          appliedRevision: 'v1',
          shards: shards.length,
          entriesCount: list.length,
        };
        expect(lost(status, recordOf(shards))).to.deep.equal([]);
        const gone = pick % shards.length;
        const left = shards.filter((_, index) => index !== gone);
        const stored = left.length === 0 ? new Map() : recordOf(left);
        expect(lost(status, stored)).to.deep.equal(['dev']);
      }),
    );
  });
});

describe('the search for what a lost inventory listed', () => {
  it('has what is rendered, what surviving records list, and what their ApplySets name', () => {
    const list: InventoryEntry[] = [
      { id: 'team_a__ConfigMap', v: 'v1' },
      { id: 'far_web_apps_Deployment', v: 'v1' },
    ];
    // Of two shards the second is lost; the annotation of the first knows its kind and namespace.
    const [first] = pack([...list, { id: 'farther_z_batch_Job', v: 'v1' }], 1);
    const records = [...recordOf([first!]).values()];
    const search = searchFor([{ id: 'team_new__Secret', v: 'v1' }], records, 'team');
    expect(search.namespaces).to.deep.equal(['far', 'farther', 'team']);
    expect(search.kinds.map(({ group, kind }) => `${group}/${kind}`).sort()).to.deep.equal([
      '/ConfigMap',
      '/Secret',
      'apps/Deployment',
      'batch/Job',
    ]);
  });
});
