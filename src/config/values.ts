import { parseDuration } from '../core/duration.ts';
import type { Duration } from '../core/time.ts';
import { UsageError } from './usage-error.ts';

/** A value as it was given: `origin` is the flag or the variable, as an operator writes it. */
export interface GivenValue {
  readonly origin: string;
  readonly text: string;
}

/** The refusal of a value: where it was given, what it is, what is accepted. */
export function refuse({ origin, text }: GivenValue, accepted: string): UsageError {
  return new UsageError(`${origin}: ${shapeOf(text)} is not accepted; give ${accepted}`);
}

/** Quoted on one line and cut, since it may be a whole file that the shell pasted in. */
function shapeOf(text: string): string {
  if (text === '') return 'an empty value';
  if (text.length <= 60) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, 60))}... (${text.length} characters)`;
}

const truths: readonly string[] = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const falsehoods: readonly string[] = ['0', 'f', 'F', 'false', 'FALSE', 'False'];

/** A boolean as Go's strconv.ParseBool reads it, or undefined. */
export function asBoolean(text: string): boolean | undefined {
  if (truths.includes(text)) return true;
  return falsehoods.includes(text) ? false : undefined;
}

export function readBoolean(given: GivenValue): boolean {
  const value = asBoolean(given.text);
  if (value === undefined) throw refuse(given, 'true or false');
  return value;
}

export function readChoice<Choice extends string>(
  given: GivenValue,
  choices: readonly Choice[],
): Choice {
  const chosen = choices.find((choice) => choice === given.text);
  if (chosen === undefined) throw refuse(given, `one of ${choices.join(', ')}`);
  return chosen;
}

/** One or more of the choices, with commas between them; each once, in the order of the choices. */
export function readChoices<Choice extends string>(
  given: GivenValue,
  choices: readonly Choice[],
): readonly Choice[] {
  const named = given.text.split(',').map((text) => text.trim());
  const known = named.every((text) => choices.some((choice) => choice === text));
  if (!known) throw refuse(given, `one or more of ${choices.join(', ')}, with commas between them`);
  return Object.freeze(choices.filter((choice) => named.includes(choice)));
}

/** A whole number of at least 1. */
export function readCount(given: GivenValue): number {
  const count = /^\d+$/.test(given.text) ? Number(given.text) : 0;
  if (count < 1 || !Number.isSafeInteger(count))
    throw refuse(given, 'a whole number of at least 1');
  return count;
}

/** A port, 1 to 65535. */
export function readPort(given: GivenValue): number {
  const port = readCount(given);
  if (port > 65_535) throw refuse(given, 'a port from 1 to 65535');
  return port;
}

/** A duration in Go's syntax, above zero. */
export function readPositiveDuration(given: GivenValue): Duration {
  const duration = asDuration(given.text);
  if (duration === undefined || duration <= 0) {
    throw refuse(given, 'a duration above zero such as 90s, 10m or 1h30m');
  }
  return duration;
}

/** A duration in Go's syntax, zero or more. Zero stands for `whenZero` where that is given. */
export function readDuration(given: GivenValue, whenZero?: Duration): Duration {
  const duration = asDuration(given.text);
  if (duration === undefined || duration < 0) {
    throw refuse(given, 'a duration of zero or more such as 0, 90s, 10m or 1h30m');
  }
  return duration === 0 ? (whenZero ?? duration) : duration;
}

/** A duration in Go's syntax, or undefined. */
export function asDuration(text: string): Duration | undefined {
  // Too long for any sane duration, and not worth the work.
  if (text.length > 100) return undefined;
  try {
    return parseDuration(text);
  } catch {
    return undefined;
  }
}

/** A program's name or path. */
export function readProgram(given: GivenValue): string {
  if (given.text.trim() === '' || given.text.includes('\0')) {
    throw refuse(given, 'the name of a program on PATH, or its path');
  }
  return given.text;
}

/** A directory's path. */
export function readDirectory(given: GivenValue): string {
  if (!given.text.startsWith('/') || given.text.includes('\0')) {
    throw refuse(given, 'the absolute path of a directory');
  }
  return given.text;
}

/** A file's path, or undefined for an empty one, as kubectl takes it. */
export function readPath(given: GivenValue): string | undefined {
  if (given.text.includes('\0')) throw refuse(given, 'the path of a file');
  return given.text === '' ? undefined : given.text;
}

/** An http or https URL that a word can be appended to: it ends with a slash. */
export function readBaseUrl(given: GivenValue): string {
  const url = URL.canParse(given.text) ? new URL(given.text) : undefined;
  const usable =
    url !== undefined &&
    ['http:', 'https:'].includes(url.protocol) &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '');
  if (!usable) {
    // Not quoted: it may carry a password.
    throw new UsageError(
      `${given.origin}: the value is not accepted; give an http or https URL without user, query ` +
        'and fragment, such as https://example.com/runbooks/',
    );
  }
  return url.href.endsWith('/') ? url.href : `${url.href}/`;
}
