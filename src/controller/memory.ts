import type { ValidatedGroup } from '../apply/apply-group.ts';
import type { RunProgress } from '../core/run.ts';
import type { TeardownProgress } from '../core/teardown-progress.ts';
import { type Instant, instant } from '../core/time.ts';
import type { InventoryEntry, StageSet } from '../types/stages.ts';
import type { StoredInventory } from './inventory-store.ts';
import type { PreparedStage } from './prepare-stage.ts';

/**
 * What the controller remembers of one StageSet between two passes. Nothing of it is needed: a
 * controller that lost it starts the run anew and finds everything in the API server.
 */
export interface StageSetMemory {
  readonly uid: string;
  /** The newest copy that we know, our own writes included. */
  stageSet: StageSet | undefined;
  run: RunProgress | undefined;
  teardown: TeardownProgress | undefined;
  /** Stages of the run under way that are built, by index; dropped when they are applied. */
  readonly prepared: Map<number, ValidatedStage>;
  /** Scope of the kinds that CRDs of the run under way define, by `apiVersion/kind`. */
  readonly defined: Map<string, 'Namespaced' | 'Cluster'>;
  /** What the run under way wants of each stage so far, by stage name. */
  readonly desired: Map<string, readonly InventoryEntry[]>;
  /** Inventories as stored, by stage name; undefined when they must be read. */
  inventories: Map<string, StoredInventory> | undefined;
  /**
   * What the inventories held when they were last known. A garbage collector may take them before a
   * teardown reads them.
   */
  remembered: ReadonlyMap<string, StoredInventory>;
  /** Something outside the schedule asks for a re-assertion. */
  reassert: boolean;
  /** When the status was published last, or the run began. */
  publishedAt: Instant;
  /** Requests in a row that found no server; a few are no news to a user. */
  interruptions: number;
  /** When the health of objects was looked at last. */
  lookedAt: Instant;
}

/** A built stage; its first group is validated while the inventory is written. */
export interface ValidatedStage extends PreparedStage {
  readonly validated: ValidatedGroup | undefined;
}

/** The memories of all StageSets that exist; one goes when its StageSet does. */
export class Memories {
  readonly #memories = new Map<string, StageSetMemory>();

  /** The memory of this incarnation of a StageSet: one that was created anew starts empty. */
  of(key: string, uid: string): StageSetMemory {
    const known = this.#memories.get(key);
    if (known?.uid === uid) return known;
    const fresh = emptyMemory(uid);
    this.#memories.set(key, fresh);
    return fresh;
  }

  /** The memory under a key, whatever its incarnation. */
  peek(key: string): StageSetMemory | undefined {
    return this.#memories.get(key);
  }

  forget(key: string): void {
    this.#memories.delete(key);
  }
}

function emptyMemory(uid: string): StageSetMemory {
  return {
    uid,
    stageSet: undefined,
    run: undefined,
    teardown: undefined,
    prepared: new Map(),
    defined: new Map(),
    desired: new Map(),
    inventories: undefined,
    remembered: new Map(),
    reassert: false,
    publishedAt: instant(0),
    interruptions: 0,
    lookedAt: instant(0),
  };
}

/** Asks for the inventories to be read again before they are relied on. */
export function distrustInventories(memory: StageSetMemory): void {
  memory.remembered = memory.inventories ?? memory.remembered;
  memory.inventories = undefined;
}

/** Drops what belongs to a run that is over or never started. */
export function forgetRun(memory: StageSetMemory): void {
  memory.prepared.clear();
  memory.defined.clear();
  memory.desired.clear();
}
