import { expect } from 'chai';
import { InventoryBudget } from '../../../src/controller/inventory-budget.ts';
import type { StoredInventory } from '../../../src/controller/inventory-store.ts';
import { Memories, type StageSetMemory } from '../../../src/controller/memory.ts';
import { instant } from '../../../src/core/time.ts';
import type { StageSetSpec } from '../../../src/types/stages.ts';

const memories = new Memories();
const spec: StageSetSpec = { stages: [] };

function inventoryOf(entries: number): Map<string, StoredInventory> {
  const list = Array.from({ length: entries }, (_, index) => ({
    id: `team_${index}__ConfigMap`,
    v: 'v1',
  }));
  return new Map([['dev', { stage: 'dev', position: 0, entries: list, shards: [] }]]);
}

let count = 0;

function memoryOf(entries: number): StageSetMemory {
  count += 1;
  const memory = memories.of(`team/${count}`, `uid-${count}`);
  memory.inventories = inventoryOf(entries);
  return memory;
}

describe('the inventories in memory', () => {
  it('are all kept while there is room', () => {
    const budget = new InventoryBudget(100);
    const list = [memoryOf(50), memoryOf(50)];
    for (const [index, memory] of list.entries()) budget.settle(String(index), memory);
    expect(list.map(({ inventories }) => inventories !== undefined)).to.deep.equal([true, true]);
    expect(budget.total).to.equal(100);
  });

  it('of the StageSets that were looked at longest ago are dropped first', () => {
    const budget = new InventoryBudget(100);
    const [one, two, three] = [memoryOf(40), memoryOf(40), memoryOf(40)];
    budget.settle('one', one);
    budget.settle('two', two);
    budget.settle('one', one);
    budget.settle('three', three);
    expect(two.inventories).to.equal(undefined);
    expect(one.inventories).not.to.equal(undefined);
    expect(three.inventories).not.to.equal(undefined);
    expect(budget.total).to.equal(80);
  });

  it('of a run or a teardown under way stay, whatever they take', () => {
    const budget = new InventoryBudget(100);
    const [running, leaving, resting] = [memoryOf(90), memoryOf(90), memoryOf(90)];
    running.run = {
      id: 'run',
      generation: 1,
      spec,
      attempt: 1,
      purpose: 'Rollout',
      pinned: [],
      startedAt: instant(0),
      requestedAt: undefined,
      stages: [],
      prune: 'Pending',
      outcome: undefined,
    };
    leaving.teardown = { loaded: true, stages: [], trouble: undefined };
    budget.settle('running', running);
    budget.settle('leaving', leaving);
    budget.settle('resting', resting);
    expect(running.inventories).not.to.equal(undefined);
    expect(leaving.inventories).not.to.equal(undefined);
    expect(resting.inventories).to.equal(undefined);
  });

  it('count also what is remembered of those that must be read again, and go with it', () => {
    const budget = new InventoryBudget(100);
    const [one, two] = [memoryOf(0), memoryOf(60)];
    one.inventories = undefined;
    one.remembered = inventoryOf(60);
    budget.settle('one', one);
    budget.settle('two', two);
    expect(one.remembered.size).to.equal(0);
    expect(budget.total).to.equal(60);
  });

  it('count no more when their StageSet is gone', () => {
    const budget = new InventoryBudget(100);
    budget.settle('one', memoryOf(60));
    budget.forget('one');
    expect(budget.total).to.equal(0);
  });
});
