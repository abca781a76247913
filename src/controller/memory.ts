import type { ValidatedGroup } from '../apply/apply-group.ts';
import type { Attempt } from '../core/actions/attempt.ts';
import type { Answer } from '../core/gates/asks.ts';
import type { StageChanges } from '../core/history/record.ts';
import { lostStages } from '../core/inventory/lost.ts';
import { union } from '../core/inventory/sets.ts';
import type { RenderInputs } from '../core/render-inputs.ts';
import type { RunProgress } from '../core/run.ts';
import type { TeardownProgress } from '../core/teardown-progress.ts';
import { type Instant, instant } from '../core/time.ts';
import type { VersionAnswer } from '../core/version/version-asks.ts';
import type {
  InventoryEntry,
  StageLedger,
  StageRun,
  StageRunStatus,
  StageSet,
} from '../types/stages.ts';
import type { BackgroundWork } from './background-work.ts';
import type { FoundOut } from './found-out.ts';
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
  /** The stage that is being fetched and built while no worker waits for it. */
  build: BackgroundWork<PreparedStage> | undefined;
  /** The attempt at an action that goes on while no worker waits for it. */
  attempt: BackgroundWork<Attempt> | undefined;
  /** The attempt that was given up last, which may still be about to end. */
  abandoned: BackgroundWork<Attempt> | undefined;
  /** What is being found out for gates while no worker waits for it. */
  asking: BackgroundWork<FoundOut> | undefined;
  /** What was found out for versions, the newest last. */
  readonly versions: Map<string, VersionAnswer>;
  /** What was found out for gates, the newest last. */
  readonly answers: Map<string, Answer>;
  /** Which Lifetime actions are done, as stored; undefined when it must be read. */
  ledger: StageLedger | undefined;
  /** Scope of the kinds that CRDs of the run under way define, by `apiVersion/kind`. */
  readonly defined: Map<string, 'Namespaced' | 'Cluster'>;
  /** What the run under way wants of each stage so far, by stage name. */
  readonly desired: Map<string, readonly InventoryEntry[]>;
  /** What each stage was rendered from when it was applied in full the last time, by stage name. */
  readonly rendered: Map<string, RenderInputs>;
  /** Values of Secrets that went into the stages of the run under way; no message may quote them. */
  readonly secrets: Set<string>;
  /** The revision whose Helm hooks were told of last, by stage name. */
  readonly hooksTold: Map<string, string>;
  /** Address of the remote cluster that the run under way is carried out on. */
  server: string | undefined;
  /** Inventories as stored, by stage name; undefined when they must be read. */
  inventories: Map<string, StoredInventory> | undefined;
  /**
   * What the inventories held when they were last known. A garbage collector may take them before a
   * teardown reads them.
   */
  remembered: ReadonlyMap<string, StoredInventory>;
  /** Stages whose stored inventory turned out to be lost and is not rebuilt yet (part A 5.9). */
  readonly lost: Set<string>;
  /** Kinds that could not be listed, by the stage whose inventory the run under way rebuilt. */
  readonly rebuilt: Map<string, readonly string[]>;
  /** Something outside the schedule asks for a re-assertion. */
  reassert: boolean;
  /** When the status was published last, or the run began. */
  publishedAt: Instant;
  /** Requests in a row without an answer of a server that answers others; a few are no news. */
  interruptions: number;
  /** When the health of objects was looked at last. */
  lookedAt: Instant;
  /** The StageRun of the run that was recorded last. */
  record: KnownRecord | undefined;
  /** What the attempt under way changed so far, by stage name. */
  readonly changes: Map<string, StageChanges>;
  /** Objects that were corrected and are not counted on a record yet. */
  uncounted: number;
}

/** A StageRun as stored, and which attempt at its run it is kept for. */
interface KnownRecord {
  readonly stored: StageRun;
  /** Its status when the attempt began. */
  readonly base: StageRunStatus;
  /** `startedAt` of the attempt. */
  readonly attempt: Instant;
  readonly writtenAt: Instant;
}

/** A built stage; its first group is validated while the inventory is written. */
export interface ValidatedStage extends PreparedStage {
  readonly validated: ValidatedGroup | undefined;
  /** The `scope` of the target that it was validated for. */
  readonly validatedFor?: string;
}

/** The memories of all StageSets that exist; one goes when its StageSet does. */
export class Memories {
  readonly #memories = new Map<string, StageSetMemory>();

  /** The memory of this incarnation of a StageSet: one that was created anew starts empty. */
  of(key: string, uid: string): StageSetMemory {
    const known = this.#memories.get(key);
    if (known?.uid === uid) return known;
    if (known !== undefined) forgetRun(known);
    const fresh = emptyMemory(uid);
    this.#memories.set(key, fresh);
    return fresh;
  }

  /** Makes the server be asked again: between two passes anything may have happened. */
  distrustValidations(key: string): void {
    const { prepared } = this.#memories.get(key) ?? {};
    for (const [index, stage] of prepared ?? []) {
      if (stage.validated !== undefined) prepared?.set(index, { ...stage, validated: undefined });
    }
  }

  /** The memory under a key, whatever its incarnation. */
  peek(key: string): StageSetMemory | undefined {
    return this.#memories.get(key);
  }

  forget(key: string): void {
    const memory = this.#memories.get(key);
    if (memory !== undefined) forgetRun(memory);
    this.#memories.delete(key);
  }
}

export function emptyMemory(uid: string): StageSetMemory {
  return {
    uid,
    stageSet: undefined,
    run: undefined,
    teardown: undefined,
    prepared: new Map(),
    build: undefined,
    attempt: undefined,
    abandoned: undefined,
    asking: undefined,
    answers: new Map(),
    versions: new Map(),
    ledger: undefined,
    defined: new Map(),
    desired: new Map(),
    rendered: new Map(),
    hooksTold: new Map(),
    secrets: new Set(),
    server: undefined,
    inventories: undefined,
    remembered: new Map(),
    lost: new Set(),
    rebuilt: new Map(),
    reassert: false,
    publishedAt: instant(0),
    interruptions: 0,
    lookedAt: instant(0),
    record: undefined,
    changes: new Map(),
    uncounted: 0,
  };
}

/** Asks for the inventories to be read again before they are relied on. */
export function distrustInventories(memory: StageSetMemory): void {
  memory.remembered = together(memory.inventories ?? new Map(), memory.remembered);
  memory.inventories = undefined;
}

/** Takes over what is stored, and finds out which stages of the spec are missing in it. */
export function trustInventories(
  memory: StageSetMemory,
  { spec, status }: StageSet,
  stored: Map<string, StoredInventory>,
): void {
  const stages = spec?.stages ?? [];
  memory.inventories = stored;
  memory.lost.clear();
  for (const stage of lostStages(stages, status?.stages ?? [], stored)) memory.lost.add(stage);
  for (const { name } of stages) {
    if (memory.remembered.has(name) && !stored.has(name)) memory.lost.add(name);
  }
  // What is stored is the truth again, but for what is lost.
  memory.remembered = new Map([...memory.remembered].filter(([stage]) => memory.lost.has(stage)));
}

/** The inventory of a lost stage is written again. */
export function foundAgain(memory: StageSetMemory, stage: string): void {
  memory.lost.delete(stage);
  if (!memory.remembered.has(stage)) return;
  memory.remembered = new Map([...memory.remembered].filter(([name]) => name !== stage));
}

/**
 * What is stored and what is remembered of each stage. A garbage collector may have taken some shards
 * before us; what is remembered too much costs a look at an object that is gone.
 */
export function together(
  stored: ReadonlyMap<string, StoredInventory>,
  remembered: ReadonlyMap<string, StoredInventory>,
): Map<string, StoredInventory> {
  const records = new Map(stored);
  for (const [stage, inventory] of remembered) {
    const now = stored.get(stage);
    const entries = union(inventory.entries, now?.entries ?? []);
    records.set(stage, { ...inventory, ...now, entries });
  }
  return records;
}

/** Drops what belongs to a run that is over or never started. */
export function forgetRun(memory: StageSetMemory): void {
  memory.build?.abandon();
  memory.build = undefined;
  memory.attempt?.abandon();
  memory.abandoned = memory.attempt ?? memory.abandoned;
  memory.attempt = undefined;
  memory.asking?.abandon();
  memory.asking = undefined;
  memory.ledger = undefined;
  memory.prepared.clear();
  memory.defined.clear();
  memory.desired.clear();
  memory.rebuilt.clear();
  memory.secrets.clear();
  memory.server = undefined;
}

/** Has the status and the record written before anything else is done: something must not be lost. */
export function publishSoon(memory: StageSetMemory): void {
  memory.publishedAt = instant(0);
  if (memory.record !== undefined) memory.record = { ...memory.record, writtenAt: instant(0) };
}
