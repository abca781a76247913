import { RetryableError, TerminalError } from '../core/errors.ts';

/** The artifact itself is at fault: nothing of it is used until its producer has made another one. */
export function badArtifact(problem: string): TerminalError {
  return new TerminalError(`the artifact ${problem}`, { reason: 'StageFailed' });
}

/** The way to the artifact failed; it may be there the next time. */
export function fetchFailed(url: URL, problem: string, details: FetchFailure = {}): RetryableError {
  return new RetryableError(`the artifact at ${shown(url)} could not be fetched: ${problem}`, {
    reason: 'StageFailed',
    ...details,
  });
}

export interface FetchFailure {
  readonly cause?: unknown;
  readonly retryAfter?: number;
}

/** A URL without its query: that may hold a signature. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
