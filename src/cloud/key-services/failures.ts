import { DeniedError, RetryableError, TerminalError } from '../../core/errors.ts';
import { redact } from '../../core/redact.ts';

/** What services say when they are busy, in lower case (part A 10.1 and its neighbours). */
const busyWords: readonly string[] = [
  'throttl',
  'rate exceeded',
  'too many requests',
  'resourceexhausted',
  'resource_exhausted',
  'quota',
  'serviceunavailable',
  'service unavailable',
  'requesttimeout',
  'request timeout',
  'slowdown',
  'temporarily',
  'try again',
];

const longestWords = 300;

/** What a service answered instead of a key. */
export interface Refusal {
  /** HTTP status; 0 where there was none. */
  readonly status: number;
  /** Name of the error and what is said about it. */
  readonly words: string;
  /** What was shown to the service; it is cut out of the words. */
  readonly shown: readonly string[];
}

/**
 * The failure of a service that did not open a key: one that is busy or out of order may do so the
 * next time, one that refuses will not. For the log.
 */
export function serviceFailure(
  service: string,
  { status, words, shown }: Refusal,
): TerminalError | RetryableError {
  const said = redact(words, new Set(shown))
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  const code = status === 0 ? '' : ` ${status}`;
  const message = `${service} answered${code}: ${said.slice(0, longestWords)}`;
  return isBusy(status, words) ? new RetryableError(message) : new TerminalError(message);
}

/** An entry that nobody is asked about, as it is no entry of a key. */
export function badEntry(service: string, problem: string): TerminalError {
  return new TerminalError(`${service}: ${problem}`);
}

function isBusy(status: number, words: string): boolean {
  if (status >= 500 || status === 408 || status === 429) return true;
  const lower = words.toLowerCase();
  return busyWords.some((word) => lower.includes(word));
}

/** Whether an error says already what to do about it. */
export function isTreated(error: unknown): boolean {
  return (
    error instanceof TerminalError ||
    error instanceof RetryableError ||
    error instanceof DeniedError
  );
}
