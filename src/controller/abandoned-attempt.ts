import {
  AbandonedAttempt,
  type Attempt,
  type MadeObject,
  madeByAttempt,
} from '../core/actions/attempt.ts';
import { untilAborted } from '../kubernetes/wait.ts';
import type { BackgroundWork } from './background-work.ts';

/** What an attempt that was given up has made, once it has ended. */
export async function madeMeanwhile(
  abandoned: BackgroundWork<Attempt> | undefined,
  signal: AbortSignal,
): Promise<readonly MadeObject[]> {
  if (abandoned === undefined) return [];
  await untilAborted(abandoned.settled(), signal);
  try {
    const attempt = abandoned.take();
    return attempt === undefined ? [] : madeByAttempt(attempt);
  } catch (error) {
    return error instanceof AbandonedAttempt ? error.made : [];
  }
}
