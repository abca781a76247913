import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { BackgroundWork } from './background-work.ts';
import { BuildPermits } from './build-permits.ts';
import type { PreparedStage } from './prepare-stage.ts';
import type { StageAt } from './stage-at.ts';

export interface StageBuildsOptions {
  readonly build: (
    at: StageAt,
    permit: () => Promise<void>,
    call: CallOptions,
  ) => Promise<PreparedStage>;
  /** Told of a StageSet whose stage is built, or cannot be. */
  readonly onNews: (key: string) => void;
}

/** Stages that are being built, or are built and not taken by a worker yet. */
const mostBuilds = 8;

/**
 * Milliseconds within which a build that is cached ends. A worker that waited longer for each would be
 * what thousands of StageSets wait for.
 */
const quickBuild = 10;

/** Builds stages while no worker waits for them, a bounded number at a time, shared by namespace. */
export class StageBuilds {
  readonly #options: StageBuildsOptions;
  readonly #permits = new BuildPermits(mostBuilds);

  constructor(options: StageBuildsOptions) {
    this.#options = options;
  }

  /**
   * The built stage, or undefined when that takes longer than a worker should wait for; its end is
   * told. Throws what keeps the stage from being built.
   */
  async take(at: StageAt, call: CallOptions): Promise<PreparedStage | undefined> {
    const { memory, stageSet } = at;
    const { build, onNews } = this.#options;
    const started = memory.build === undefined;
    const work = (memory.build ??= new BackgroundWork(
      async (signal, permit) => await build(at, permit, { ...call, signal }),
      this.#permits.of(stageSet),
      call.signal,
    ));
    if (started) await work.wait(quickBuild);
    if (work.ended) memory.build = undefined;
    else work.onEnd(() => onNews(storeKey(stageSet.metadata.namespace, stageSet.metadata.name)));
    return work.take();
  }
}
