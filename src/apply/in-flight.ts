import { RetryableError } from '../core/errors.ts';
import { noAnswer } from '../kubernetes/api-error.ts';

/** Requests of one group under way at once; the client bounds what one server gets in all. */
export const objectsInFlight = 16;

/** One slow webhook must not hide what is wrong with the other objects; a server that hangs may. */
const mostTimeouts = 3;

/** What came of an item that was not begun, since the server could not be reached for another. */
export class NotBegun extends RetryableError {}

/**
 * Runs `work` for every item with at most `limit` under way, and returns what came of each, in the
 * order of the items. One item's failure does not stop the others, so that a user sees all errors
 * at once. A server that cannot be reached does, or one that has let three items wait until their time
 * was over: the items not begun by then are `NotBegun`.
 */
export async function eachInFlight<Item, Result>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<Result>,
): Promise<PromiseSettledResult<Result>[]> {
  const results = new Map<number, PromiseSettledResult<Result>>();
  const queue = items.entries();
  let unreachable: NotBegun | undefined;
  let timeouts = 0;
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (unreachable !== undefined) {
        results.set(index, { status: 'rejected', reason: unreachable });
        continue;
      }
      try {
        results.set(index, { status: 'fulfilled', value: await work(item) });
      } catch (reason) {
        results.set(index, { status: 'rejected', reason });
        const kind = noAnswer(reason);
        if (kind === 'Timeout') timeouts += 1;
        if (kind !== undefined && (kind !== 'Timeout' || timeouts >= mostTimeouts)) {
          unreachable = new NotBegun('not begun', { cause: reason });
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return items.flatMap((_, index) => results.get(index) ?? []);
}

/** The values of all results; throws `combine(failures)` when there is a failure among them. */
export function allFulfilled<Result>(
  results: readonly PromiseSettledResult<Result>[],
  combine: (failures: readonly unknown[]) => Error,
): Result[] {
  const values: Result[] = [];
  const failures: unknown[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') values.push(result.value);
    else failures.push(result.reason);
  }
  if (failures.length > 0) throw combine(failures);
  return values;
}
