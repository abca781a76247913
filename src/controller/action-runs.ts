import type { Attempt } from '../core/actions/attempt.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { BackgroundWork } from './background-work.ts';
import { BuildPermits } from './build-permits.ts';
import type { StageAt } from './stage-at.ts';

/** Attempts at actions that are under way at a time. */
const mostAttempts = 32;

/** Milliseconds within which most requests are answered. */
const quickAttempt = 50;

/** Makes attempts at actions while no worker waits for them, shared by namespace. */
export class ActionRuns {
  readonly #permits = new BuildPermits(mostAttempts);
  readonly #onNews: (key: string) => void;

  /** `onNews` is told of a StageSet whose attempt has ended. */
  constructor(onNews: (key: string) => void) {
    this.#onNews = onNews;
  }

  /**
   * Begins an attempt, or takes what came of the one that was begun; undefined while it goes on.
   * Throws what it failed of.
   */
  async take(
    { memory, stageSet }: StageAt,
    call: CallOptions,
    attempt: (signal: AbortSignal) => Promise<Attempt>,
  ): Promise<Attempt | undefined> {
    const started = memory.attempt === undefined;
    const work = (memory.attempt ??= new BackgroundWork(
      async (signal, permit) => {
        await permit();
        return await attempt(signal);
      },
      this.#permits.of(stageSet),
      call.signal,
    ));
    if (started) await work.wait(quickAttempt);
    if (work.ended) memory.attempt = undefined;
    else
      work.onEnd(() => this.#onNews(storeKey(stageSet.metadata.namespace, stageSet.metadata.name)));
    return work.take();
  }
}
