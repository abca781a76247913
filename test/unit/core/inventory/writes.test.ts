import { expect } from 'chai';
import fc from 'fast-check';
import { lostStages } from '../../../../src/core/inventory/lost.ts';
import { entriesOf } from '../../../../src/core/inventory/read.ts';
import { shardsFor, surplusShards } from '../../../../src/core/inventory/shards.ts';
import { shardWrites } from '../../../../src/core/inventory/writes.ts';
import type { InventoryEntry, StageInventory } from '../../../../src/types/stages.ts';
import { entries, ids } from './arbitrary.ts';

const stageSet = { metadata: { name: 'shop', namespace: 'team-a', uid: 'uid-1' } };

function secrets(...names: string[]): InventoryEntry[] {
  return names.map((name) => ({ id: `x_${name}__Secret`, v: 'v1' }));
}

function pack(list: readonly InventoryEntry[], cap: number): StageInventory[] {
  return shardsFor({ stageSet, stage: 'dev', position: 0, entries: list, cap });
}

/** `<shard>: <names>` of each write, in order. */
function shown(writes: readonly StageInventory[]): string[] {
  return writes.map(({ metadata, spec }) => {
    const names = (spec?.entries ?? []).map(({ id }) => id.split('_')[1]);
    return `${metadata.labels?.['stages.metio.wtf/shard'] ?? ''}: ${names.join(' ')}`;
  });
}

describe('writing the shards of a stage', () => {
  it('writes nothing when they are stored as wanted', () => {
    const list = secrets('a', 'b', 'c');
    expect(shardWrites(pack(list, 2), pack(list, 2))).to.deep.equal([]);
  });

  it('writes only what changed, whatever the API server added', () => {
    const stored = pack(secrets('a', 'b', 'c'), 2).map((shard) => ({
      ...shard,
      metadata: { ...shard.metadata, uid: 'x', resourceVersion: '7', managedFields: [] },
    }));
    expect(shown(shardWrites(stored, pack(secrets('a', 'b', 'c', 'd'), 2)))).to.deep.equal([
      '1: c d',
    ]);
  });

  it('writes a shard again whose labels or owner are not ours', () => {
    const wanted = pack(secrets('a'), 2);
    const [shard] = wanted;
    const unlabelled = { ...shard!.metadata, labels: {} };
    expect(shardWrites([{ ...shard!, metadata: unlabelled }], wanted)).to.have.length(1);
    const foreign = { ...shard!.metadata, ownerReferences: [] };
    expect(shardWrites([{ ...shard!, metadata: foreign }], wanted)).to.have.length(1);
  });

  it('fills the last shard first when a new object pushes the others on', () => {
    const writes = shardWrites(
      pack(secrets('b', 'c', 'd'), 2),
      pack(secrets('a', 'b', 'c', 'd'), 2),
    );
    expect(shown(writes)).to.deep.equal(['1: c d', '0: a b']);
  });

  it('takes no longer for each shard where there are many', () => {
    const names = Array.from({ length: 2001 }, (_, each) => `o${String(each).padStart(4, '0')}`);
    const began = performance.now();
    const writes = shardWrites(pack(secrets(...names.slice(1)), 1), pack(secrets(...names), 1));
    expect(writes).to.have.length(2001);
    expect(performance.now() - began).to.be.lessThan(1000);
  });

  it('leaves a gap wherever it stops in a record that was not there, and so is begun anew', () => {
    const writes = shardWrites([], pack(secrets('a', 'b', 'c'), 1));
    expect(shown(writes)).to.deep.equal(['2: c', '1: b', '0: a']);
    for (const stop of [1, 2]) {
      const shards = writes.slice(0, stop);
      const record = { stage: 'dev', ...entriesOf(shards), shards };
      expect(lostStages([{ name: 'dev' }], [], new Map([['dev', record]]))).to.deep.equal(['dev']);
    }
  });

  it('fills the first shard first when one that goes lets the others move up', () => {
    const writes = shardWrites(
      pack(secrets('a', 'b', 'c', 'd'), 2),
      pack(secrets('b', 'c', 'd'), 2),
    );
    expect(shown(writes)).to.deep.equal(['0: b c', '1: d']);
  });

  it('writes a shard with old and new entries when two wait for each other', () => {
    const [one, two] = pack(secrets('a', 'b', 'c', 'd'), 2);
    const swapped = [
      { ...one!, spec: two!.spec! },
      { ...two!, spec: one!.spec! },
    ];
    expect(shown(shardWrites(swapped, [one!, two!]))).to.deep.equal([
      '0: a b c d',
      '1: c d',
      '0: a b',
    ]);
  });

  it('forgets no object that was recorded and is still wanted, wherever it stops', () => {
    const caps = fc.integer({ min: 1, max: 4 });
    fc.assert(
      fc.property(entries, caps, entries, caps, (before, capBefore, after, capAfter) => {
        const stored = new Map(
          pack(before, capBefore).map((shard) => [shard.metadata.name, shard]),
        );
        const wanted = pack(after, capAfter);
        const kept = ids(before).filter((id) => ids(after).includes(id));
        const surplus = surplusShards([...stored.values()], wanted);
        for (const shard of shardWrites([...stored.values()], wanted)) {
          stored.set(shard.metadata.name, shard);
          expect(ids(entriesOf([...stored.values()]).entries)).to.include.members(kept);
        }
        for (const name of surplus) stored.delete(name);
        expect([...stored.values()]).to.have.deep.members(wanted);
      }),
    );
  });
});
