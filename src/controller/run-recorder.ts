import { fieldManager } from '../apply/field-manager.ts';
import { expiredRuns, type NewestRun, newestRun, triggerOf } from '../core/history/newest-run.ts';
import { recordOf, supersededRecord } from '../core/history/record.ts';
import { isRunOf, newStageRun } from '../core/history/stage-run.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { requesterOf } from '../core/requested-by.ts';
import type { Verdict } from '../core/rest.ts';
import type { RunProgress } from '../core/run.ts';
import { underWay } from '../core/run-verdict.ts';
import type { BoundAdvance } from '../core/snapshot.ts';
import { between, type Clock, seconds } from '../core/time.ts';
import { parseStageRun } from '../core/validate/schema.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { withoutManagedFields } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageRun, StageRunStatus, StageSet } from '../types/stages.ts';
import { isInterruption } from './failure.ts';
import type { StageSetMemory } from './memory.ts';
import { mergePatch } from './merge-patch.ts';
import type { Reporter } from './reporter.ts';
import { newerRecord, type StageRuns } from './stage-runs.ts';

/** How far a run is, is recorded no more often than this; its beginning, holds and end at once. */
const progressEvery = seconds(5);

/** A record that somebody else keeps changing is tried so often in one pass. */
const mostTries = 5;

export interface RunRecorderOptions {
  readonly client: KubernetesClient;
  readonly runs: StageRuns;
  readonly reporter: Reporter;
  readonly clock: Clock;
}

/**
 * Keeps the StageRun of each run: it is there before the run changes anything, and says at the end
 * what came of it. A pass that only re-asserts writes nothing. Where records cannot be kept, delivery
 * goes on without them.
 */
export class RunRecorder {
  readonly #options: RunRecorderOptions;

  constructor(options: RunRecorderOptions) {
    this.#options = options;
  }

  /** The gates that were passed by hand in the newest run, as far as is known without asking. */
  advancesOf(stageSet: StageSet, memory: StageSetMemory): BoundAdvance[] {
    const record = newerRecord(memory.record?.stored, this.#options.runs.seen(stageSet));
    const runId = record?.spec?.runId;
    if (runId === undefined) return [];
    return (record?.status?.advances ?? []).map((advance) => ({ runId, advance }));
  }

  /** Records the run under way, before its next effect. */
  async beforeEffect(stageSet: StageSet, memory: StageSetMemory, call: CallOptions): Promise<void> {
    const { run } = memory;
    // What is found out ahead of a run is none of the affairs of the one before.
    if (run === undefined || run.outcome !== undefined || !isRecorded(run)) return;
    await this.#carefully(stageSet, memory, call, async () => {
      if (memory.record?.attempt !== run.startedAt) await this.#begin(stageSet, run, memory, call);
      else if (this.#isDue(memory)) await this.#write(stageSet, run, memory, underWay(run), call);
    });
  }

  /** Records what a pass has come to. */
  async atRest(
    stageSet: StageSet,
    memory: StageSetMemory,
    verdict: Verdict | undefined,
    call: CallOptions,
  ): Promise<void> {
    const { run } = memory;
    if (run === undefined) return;
    if (run.outcome !== undefined && memory.uncounted > 0) {
      await this.#carefully(stageSet, memory, call, async () => {
        await this.#count(stageSet, run, memory, call);
      });
    }
    if (!isRecorded(run)) return;
    if (memory.record?.attempt !== run.startedAt) {
      // Held before its first effect: whoever passes the gate needs the record to do so.
      if (run.outcome?.kind !== 'Held') return;
      await this.#carefully(stageSet, memory, call, async () => {
        await this.#begin(stageSet, run, memory, call);
      });
    }
    if (run.outcome === undefined && !this.#isDue(memory)) return;
    await this.#carefully(stageSet, memory, call, async () => {
      await this.#write(stageSet, run, memory, verdict, call);
    });
  }

  /** What was corrected is counted on the newest record, if that is of the same snapshot. */
  async #count(
    stageSet: StageSet,
    run: RunProgress,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const corrected = memory.uncounted;
    memory.uncounted = 0;
    const { client, clock, runs } = this.#options;
    const newest = memory.record?.stored ?? newestRun(await runs.all(stageSet, call));
    if (newest?.spec?.runId !== run.id) return;
    const count = async (stored: StageRun): Promise<StageRun> => {
      const { status = {} } = stored;
      const driftCorrections = (status.driftCorrections ?? 0) + corrected;
      return await this.#patch(stored, { ...status, driftCorrections }, call);
    };
    const counted = await count(newest).catch(async (error: unknown) => {
      if (!isConflict(error)) throw error;
      return await count(narrowed(await client.get(referenceTo(newest), call), newest));
    });
    const { base = counted.status ?? {}, attempt = run.startedAt } = memory.record ?? {};
    memory.record = { stored: counted, base, attempt, writtenAt: clock() };
  }

  #isDue({ record }: StageSetMemory): boolean {
    if (record === undefined) return false;
    return between(record.writtenAt, this.#options.clock()) >= progressEvery;
  }

  /** A record is no reason to hold a release up; silence of the server is. */
  async #carefully(
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      this.#options.reporter.notRecorded(stageSet, error);
      // Asked again when the next attempt begins.
      const stored = memory.record?.stored;
      const attempt = memory.run?.startedAt;
      if (stored !== undefined && attempt !== undefined) {
        memory.record = { stored, base: {}, attempt, writtenAt: this.#options.clock() };
      }
    }
  }

  async #begin(
    stageSet: StageSet,
    run: RunProgress,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const { clock, client, runs } = this.#options;
    memory.changes.clear();
    const known = newerRecord(memory.record?.stored, runs.seen(stageSet));
    if (known?.spec?.runId === run.id) {
      this.#adopt(memory, run, known);
      return;
    }
    const all = await runs.all(stageSet, call);
    const before = newestRun(all);
    if (before?.spec?.runId === run.id) {
      this.#adopt(memory, run, before);
      return;
    }
    if (before !== undefined) await this.#supersede(before, call);
    const created = await this.#create(stageSet, run, before, call);
    memory.record = { stored: created, base: {}, attempt: run.startedAt, writtenAt: clock() };
    for (const expired of expiredRuns([...all, created], stageSet.spec?.historyLimit)) {
      const { uid } = expired.metadata;
      const preconditions = uid === undefined ? {} : { uid };
      await client.delete(referenceTo(expired), { preconditions }, call);
    }
  }

  /** The run was attempted before, perhaps by a process that ended. */
  #adopt(memory: StageSetMemory, run: RunProgress, stored: StageRun): void {
    const writtenAt = this.#options.clock();
    memory.record = { stored, base: stored.status ?? {}, attempt: run.startedAt, writtenAt };
  }

  /**
   * The name may be taken: by records of an earlier StageSet of the same name, which the garbage
   * collector has not come to yet, or by somebody. Then the numbers go on behind those.
   */
  async #create(
    stageSet: StageSet,
    run: RunProgress,
    before: StageRun | undefined,
    call: CallOptions,
  ): Promise<StageRun> {
    const facts = factsOf(before);
    const trigger = triggerOf(stageSet, run, facts);
    let taken = 0;
    for (let tries = 1; tries <= mostTries; tries += 1) {
      const record = { before: facts, taken, trigger, requestedBy: undefined };
      const wanted = newStageRun(stageSet, run, record);
      const made = await this.#createOrFind(wanted, run, call);
      if (made !== undefined) return made;
      const highest = await this.#options.runs.highest(stageSet, call);
      taken = Math.max(highest, wanted.spec?.sequence ?? 0);
    }
    throw new Error(`no name is free for the record of run ${run.id}: delete StageRuns of others`);
  }

  /** Undefined where a record of the same name is of another run. */
  async #createOrFind(
    wanted: StageRun,
    run: RunProgress,
    call: CallOptions,
  ): Promise<StageRun | undefined> {
    const { client } = this.#options;
    try {
      return narrowed(await client.create(wanted, { fieldManager }, call), wanted);
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    const found = await client.find(referenceTo(wanted), call);
    const parsed = found === undefined ? undefined : parseStageRun(withoutManagedFields(found));
    if (parsed?.ok !== true) return undefined;
    // Our own request may have been repeated, since its answer was lost. A run's id has the uid of
    // its StageSet in it.
    const [owner] = wanted.metadata.ownerReferences ?? [];
    const own = isRunOf(parsed.value, owner?.uid) && parsed.value.spec?.runId === run.id;
    return own ? parsed.value : undefined;
  }

  async #supersede(before: StageRun, call: CallOptions): Promise<void> {
    const status = supersededRecord(before.status ?? {}, this.#options.clock());
    if (status === undefined) return;
    try {
      await this.#patch(before, status, call);
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      const fresh = narrowed(await this.#options.client.get(referenceTo(before), call), before);
      const again = supersededRecord(fresh.status ?? {}, this.#options.clock());
      if (again !== undefined) await this.#patch(fresh, again, call);
    }
  }

  async #write(
    stageSet: StageSet,
    run: RunProgress,
    memory: StageSetMemory,
    verdict: Verdict | undefined,
    call: CallOptions,
  ): Promise<void> {
    const { clock, client, runs } = this.#options;
    for (let tries = 1; ; tries += 1) {
      const { record } = memory;
      if (record === undefined) return;
      const stored = newerRecord(record.stored, runs.seen(stageSet)) ?? record.stored;
      // Where the record of this run could not be made, the last one known is of another run.
      if (stored.spec?.runId !== run.id) return;
      const status = recordOf({
        stored: stored.status ?? {},
        base: record.base,
        run,
        verdict,
        changes: memory.changes,
        requester: (annotation) => requesterOf(stageSet, annotation),
        now: clock(),
      });
      try {
        const written = await this.#patch(stored, status, call);
        memory.record = { ...record, stored: written, writtenAt: clock() };
        return;
      } catch (error) {
        if (!isConflict(error) || tries >= mostTries) throw error;
        // Somebody passed a gate in between: that is kept.
        const fresh = narrowed(await client.get(referenceTo(stored), call), stored);
        memory.record = { ...record, stored: fresh };
      }
    }
  }

  async #patch(stored: StageRun, status: StageRunStatus, call: CallOptions): Promise<StageRun> {
    const patch = mergePatch({ ...stored.status }, { ...status });
    if (patch === undefined) return stored;
    const { uid, resourceVersion } = stored.metadata;
    const body = { metadata: { uid, resourceVersion }, status: patch };
    const options = { type: 'Merge', body, fieldManager, subresource: 'status' } as const;
    return narrowed(await this.#options.client.patch(referenceTo(stored), options, call), stored);
  }
}

/** A pass that only re-asserts is no new run, and has nothing to add to the record. */
function isRecorded({ purpose, correction }: RunProgress): boolean {
  return purpose !== 'Reassert' && correction === undefined;
}

function factsOf(run: StageRun | undefined): NewestRun | undefined {
  if (run?.spec === undefined) return undefined;
  const { sequence, runId, generation, version } = run.spec;
  return { sequence, runId, generation, ...(version === undefined ? {} : { version }) };
}

function narrowed(object: Parameters<typeof withoutManagedFields>[0], like: StageRun): StageRun {
  const parsed = parseStageRun(withoutManagedFields(object));
  if (parsed.ok) return parsed.value;
  throw new Error(`StageRun ${like.metadata.name} has come back in another shape`);
}
