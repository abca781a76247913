import { InFlightLimit } from '../kubernetes/in-flight-limit.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { BackgroundWork } from './background-work.ts';

/** Milliseconds within which a request or two to a cluster nearby end. */
const quick = 25;

/**
 * Effects on remote clusters, which go on while no worker waits for them: a cluster that is dead, far
 * or slow keeps its own StageSets waiting and nobody else. There is one at a time for each StageSet.
 */
export class RemoteWork {
  readonly #onNews: (key: string) => void;
  readonly #underWay = new Map<string, BackgroundWork<'Done'>>();
  /** Work takes no permit: what it holds in memory is its StageSet's already. */
  readonly #permits = new InFlightLimit(1);

  /** @param onNews told of a StageSet whose work has ended after everybody had left. */
  constructor(onNews: (key: string) => void) {
    this.#onNews = onNews;
  }

  /** Whether work of the StageSet goes on. Throws, once, what work that has ended ended with. */
  isUnderWay(key: string): boolean {
    const work = this.#underWay.get(key);
    if (work === undefined) return false;
    if (!work.ended) return true;
    this.#underWay.delete(key);
    work.take();
    return false;
  }

  /** Begins the work, and waits for it as long as a worker should: see `isUnderWay`. */
  async begin(
    key: string,
    work: (call: CallOptions) => Promise<void>,
    call: CallOptions,
  ): Promise<void> {
    const begun = new BackgroundWork<'Done'>(
      async (signal) => {
        await work({ ...call, signal });
        return 'Done';
      },
      this.#permits,
      call.signal,
    );
    this.#underWay.set(key, begun);
    await begun.wait(quick);
    if (!begun.ended) begun.onEnd(() => this.#onNews(key));
  }

  /** Ends the work of a StageSet that is gone; nobody is told. */
  abandon(key: string): void {
    this.#underWay.get(key)?.abandon();
    this.#underWay.delete(key);
  }

  /** Waits until all work has ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(async (work) => await work.settled()));
  }
}
