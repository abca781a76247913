import type { Verdict } from '../core/rest.ts';
import { underWay } from '../core/run-verdict.ts';
import { type InventorySize, nextStatus } from '../core/status.ts';
import { after, between, type Clock, type Instant, milliseconds, seconds } from '../core/time.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { pause } from '../kubernetes/wait.ts';
import type { StageSet } from '../types/stages.ts';
import type { StageSetMemory } from './memory.ts';
import type { Reporter } from './reporter.ts';
import type { StatusWriter } from './status-writer.ts';

/** A run that takes longer than this shows how far it is; a quicker one needs no writes for that. */
const progressEvery = milliseconds(500);

/** A single effect that takes longer than this is shown while it goes on. */
const longEffect = seconds(1);

interface StatusPublisherOptions {
  readonly statuses: StatusWriter;
  readonly reporter: Reporter;
  readonly runbookBase: string;
  readonly clock: Clock;
}

/** Tells the world what a pass found out: the status, and what the reporter makes of it. */
export class StatusPublisher {
  readonly #options: StatusPublisherOptions;

  constructor(options: StatusPublisherOptions) {
    this.#options = options;
  }

  /** Shows how far a run is that has been under way for a while. */
  async publishProgress(
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const { run } = memory;
    if (run === undefined || run.outcome !== undefined) return;
    if (between(memory.publishedAt, this.#options.clock()) < progressEvery) return;
    await this.publish(stageSet, memory, underWay(run), call);
  }

  /**
   * Does the work, and shows meanwhile what is under way when it takes long: a Ready from before the
   * run must not stand through a download of minutes. The work must not write the status itself.
   */
  async inSight(
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
    work: () => Promise<void>,
  ): Promise<void> {
    const over = new AbortController();
    const isLong = pause(longEffect, over.signal).then(
      () => true,
      () => false,
    );
    const ends = await Promise.allSettled([
      work().finally(() => over.abort()),
      isLong.then(async (long) => {
        if (long) await this.publishProgress(stageSet, memory, call);
      }),
    ]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Writes the status; returns when to do so where it is not worth a write yet. */
  async publish(
    stageSet: StageSet,
    memory: StageSetMemory,
    verdict: Verdict | undefined,
    call: CallOptions,
  ): Promise<Instant | undefined> {
    const { clock, runbookBase, statuses, reporter } = this.#options;
    const { run } = memory;
    const now = clock();
    // A short wait inside a run that has only just begun is not worth a write yet.
    const young = run?.outcome === undefined && between(memory.publishedAt, now) < progressEvery;
    if (run !== undefined && young && verdict?.status === 'Unknown') {
      return after(memory.publishedAt, progressEvery);
    }
    const inventories = sizesOf(memory);
    const status = nextStatus({ stageSet, run, verdict, inventories, runbookBase, now });
    memory.stageSet = await statuses.write(stageSet, status, call);
    memory.publishedAt = now;
    reporter.concluded(stageSet, memory.stageSet, run, verdict);
    return undefined;
  }
}

function sizesOf({ inventories }: StageSetMemory): Map<string, InventorySize> {
  const sizes = new Map<string, InventorySize>();
  for (const [stage, { entries, shards }] of inventories ?? []) {
    sizes.set(stage, { entries: entries.length, shards: shards.length });
  }
  return sizes;
}
