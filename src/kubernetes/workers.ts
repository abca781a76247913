import type { Duration } from '../core/time.ts';
import type { WorkQueue } from './work-queue.ts';

/** What a worker's `handle` says about the key. */
export type WorkResult =
  /** All well; the backoff starts over. */
  | { kind: 'Done' }
  /** All well; again after this time. */
  | { kind: 'After'; delay: Duration }
  /** Again with growing backoff. */
  | { kind: 'Backoff' };

/**
 * Works on the queue with `workers` at a time until it is closed; resolves when all have stopped. An
 * error of `handle` is given to `onError` and the key comes back with backoff: nothing ends a worker.
 */
export async function runWorkers(
  queue: WorkQueue,
  workers: number,
  handle: (key: string) => Promise<WorkResult>,
  onError: (key: string, error: unknown) => void,
): Promise<void> {
  const work = async (): Promise<void> => {
    for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
      try {
        const result = await handle(key);
        if (result.kind === 'Backoff') {
          queue.addRateLimited(key);
        } else {
          queue.forget(key);
          if (result.kind === 'After') queue.addAfter(key, result.delay);
        }
      } catch (error) {
        onError(key, error);
        queue.addRateLimited(key);
      } finally {
        queue.done(key);
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}
