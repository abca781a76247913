import { expect } from 'chai';
import fc from 'fast-check';
import { TerminalError } from '../../../../src/core/errors.ts';
import { entriesOf } from '../../../../src/core/inventory/read.ts';
import { shardName, shardsFor, surplusShards } from '../../../../src/core/inventory/shards.ts';
import type { InventoryEntry } from '../../../../src/types/stages.ts';
import { entries, ids } from './arbitrary.ts';

const stageSet = { metadata: { name: 'shop', namespace: 'team-a', uid: 'uid-1' } };

function shards(list: readonly InventoryEntry[], cap = 5000, position = 2) {
  return shardsFor({ stageSet, stage: 'dev', position, entries: list, cap });
}

describe('the StageInventories of a stage', () => {
  it('are one for few objects, owned by the StageSet and labelled', () => {
    const list = [
      { id: 'team-a_web_apps_Deployment', v: 'v1' },
      { id: 'team-a_web__Service', v: 'v1' },
    ];
    expect(shards(list)).to.deep.equal([
      {
        apiVersion: 'stages.metio.wtf/v1',
        kind: 'StageInventory',
        metadata: {
          name: 'shop-dev-00-fd4248453b',
          namespace: 'team-a',
          labels: {
            'stages.metio.wtf/stage-set': 'shop',
            'stages.metio.wtf/stage': 'dev',
            'stages.metio.wtf/shard': '0',
            'applyset.kubernetes.io/id': 'applyset-G4JEfwvv_nFjoGgVlE668AuQ8rItBMnbtuchM49jaIc-v1',
          },
          annotations: {
            'applyset.kubernetes.io/tooling': 'stageset-controller/v1',
            'applyset.kubernetes.io/contains-group-kinds': 'Deployment.apps,Service',
          },
          ownerReferences: [
            {
              apiVersion: 'stages.metio.wtf/v1',
              kind: 'StageSet',
              name: 'shop',
              uid: 'uid-1',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
        spec: {
          stagePosition: 2,
          entries: [
            { id: 'team-a_web__Service', v: 'v1' },
            { id: 'team-a_web_apps_Deployment', v: 'v1' },
          ],
        },
      },
    ]);
  });

  it('are a single empty one for a stage without objects', () => {
    expect(shards([]).map(({ spec }) => spec)).to.deep.equal([{ stagePosition: 2, entries: [] }]);
  });

  it('hold at most as many entries each as the cap says, sorted', () => {
    const list = ['e', 'b', 'd', 'a', 'c'].map((name) => ({ id: `x_${name}__Secret`, v: 'v1' }));
    const found = shards(list, 2);
    expect(found.map(({ spec }) => ids(spec?.entries ?? []))).to.deep.equal([
      ['x_a__Secret', 'x_b__Secret'],
      ['x_c__Secret', 'x_d__Secret'],
      ['x_e__Secret'],
    ]);
    expect(found.map(({ metadata }) => metadata.labels?.['stages.metio.wtf/shard'])).to.deep.equal([
      '0',
      '1',
      '2',
    ]);
  });

  for (const cap of [0, -1, 1.5, Number.NaN]) {
    it(`refuse a cap of ${cap}`, () => {
      expect(() => shards([], cap)).to.throw(RangeError, 'a shard must hold at least 1 entry');
    });
  }

  it('refuse a name that does not fit into a label', () => {
    const long = { metadata: { name: 's'.repeat(64), uid: 'uid-1' } };
    const input = { stageSet: long, stage: 'dev', position: 0, entries: [], cap: 1 };
    expect(() => shardsFor(input)).to.throw(TerminalError, 'has 64 characters');
  });

  it('partition the entries, and give them back', () => {
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: 5 }), (list, cap) => {
        const packed = shards(list, cap);
        const all = packed.flatMap(({ spec }) => spec?.entries ?? []);
        expect(all).to.have.deep.members(list);
        expect(packed.every(({ spec }) => (spec?.entries ?? []).length <= cap)).to.equal(true);
        const read = entriesOf([...packed].reverse());
        expect(read).to.deep.equal({ entries: all, position: 2, malformed: [] });
      }),
    );
  });
});

describe('the name of a shard', () => {
  it('is readable and ends with a hash', () => {
    expect(shardName('shop', 'dev', 0)).to.equal('shop-dev-00-fd4248453b');
    expect(shardName('shop', 'dev', 123)).to.equal('shop-dev-123-76f523601c');
  });

  it('differs where the readable part does not', () => {
    expect(shardName('a-b', 'c', 0)).to.equal('a-b-c-00-32d6df0a36');
    expect(shardName('a', 'b-c', 0)).to.equal('a-b-c-00-4ff285f610');
  });

  it('is cut to what the API server takes, never at a dash or a dot', () => {
    const name = shardName(`${'s'.repeat(241)}.x`, 'dev', 0);
    expect(name).to.match(/^s{241}-[0-9a-f]{10}$/);
    expect(shardName('s'.repeat(300), 'dev', 0)).to.have.length(253);
  });

  it('is different for different stages', () => {
    const label = fc.stringMatching(/^[a-c]([-a-c]{0,3}[a-c])?$/);
    const place = fc.tuple(label, label, fc.integer({ min: 0, max: 200 }));
    fc.assert(
      fc.property(place, place, (one, other) => {
        const equal = JSON.stringify(one) === JSON.stringify(other);
        expect(shardName(...one) === shardName(...other)).to.equal(equal);
      }),
    );
  });
});

describe('stored shards', () => {
  it('are read whatever their names, each object once', () => {
    const [shard] = shards([{ id: 'a_b__Secret', v: 'v1' }]);
    const old = {
      ...shard!,
      metadata: { name: 'shop-dev-0' },
      spec: {
        stagePosition: 3,
        entries: [
          { id: 'a_b__Secret', v: 'v1' },
          { id: 'a_c__Secret', v: 'v1' },
        ],
      },
    };
    expect(entriesOf([shard!, old])).to.deep.equal({
      entries: [
        { id: 'a_b__Secret', v: 'v1' },
        { id: 'a_c__Secret', v: 'v1' },
      ],
      position: 3,
      malformed: [],
    });
  });

  it('tell which of their entries name no object', () => {
    const [shard] = shards([
      { id: 'a_b__Secret', v: 'v1' },
      { id: 'nonsense', v: 'v1' },
    ]);
    expect(entriesOf([shard!])).to.deep.equal({
      entries: [{ id: 'a_b__Secret', v: 'v1' }],
      position: 2,
      malformed: ['nonsense'],
    });
  });

  it('without any entry say nothing', () => {
    expect(entriesOf([])).to.deep.equal({ entries: [], position: 0, malformed: [] });
  });

  it('are surplus when the stage has shrunk or they have another name, highest number first', () => {
    const secret = (name: string) => ({ id: `a_${name}__Secret`, v: 'v1' });
    const stored = shards([secret('a'), secret('b'), secret('c')], 1);
    const renamed = { ...stored[0]!, metadata: { name: 'shop-dev-0' } };
    expect(surplusShards([...stored, renamed], shards([secret('a')], 1))).to.deep.equal([
      stored[2]?.metadata.name,
      stored[1]?.metadata.name,
      'shop-dev-0',
    ]);
  });
});
