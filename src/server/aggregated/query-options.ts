import { parseDuration } from '../../core/duration.ts';
import { type Duration, milliseconds, seconds } from '../../core/time.ts';
import { StatusError } from './status-error.ts';
import type { IncludeObject } from './table.ts';

/** What is done about fields that the contract does not know. */
export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** kube-apiserver gives up after 60 s: an answer after that reaches nobody. */
const longestTimeout = seconds(55);

/** Whether answers are to be indented; any value but `false` and `0` says so. */
export function isPretty(query: URLSearchParams): boolean {
  const value = query.get('pretty');
  return value !== null && !['', 'false', '0', 'f', 'F', 'FALSE', 'False'].includes(value);
}

/** @throws StatusError 400 for another value than `All` */
export function isDryRun(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun');
  if (values.some((value) => value !== 'All')) {
    throw StatusError.badRequest('dryRun must be "All"');
  }
  return values.length > 0;
}

/** @throws StatusError 400 */
export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const value = query.get('fieldValidation') ?? '';
  switch (value) {
    case '':
    case 'Strict':
      return 'Strict';
    case 'Warn':
    case 'Ignore':
      return value;
    default:
      throw StatusError.badRequest('fieldValidation must be one of "Strict", "Warn" and "Ignore"');
  }
}

/** How long the answer may take: what is asked for, and never longer than 55 s.
 * @throws StatusError 400 */
export function timeoutOf(query: URLSearchParams): Duration {
  const value = query.get('timeout');
  if (value === null || value === '') return longestTimeout;
  // As upstream: a bare number is seconds.
  const asked = /^\d{1,9}$/.test(value) ? seconds(Number(value)) : durationOf(value);
  if (asked < 0) throw badTimeout();
  return asked === 0 ? longestTimeout : milliseconds(Math.min(asked, longestTimeout));
}

function durationOf(value: string): Duration {
  try {
    return parseDuration(value.slice(0, 64));
  } catch {
    throw badTimeout();
  }
}

function badTimeout(): StatusError {
  return StatusError.badRequest('timeout must be a duration such as "30s"');
}

/** Whether the caller wants to follow changes, which nothing here offers. */
export function isWatch(query: URLSearchParams): boolean {
  const value = query.get('watch');
  return value !== null && !['false', '0', 'f', 'F', 'FALSE', 'False'].includes(value);
}

/** @throws StatusError 400 */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  switch (value) {
    case '':
      return 'Metadata';
    case 'None':
    case 'Metadata':
    case 'Object':
      return value;
    default:
      throw StatusError.badRequest('includeObject must be one of "None", "Metadata" and "Object"');
  }
}

/** @throws StatusError 400 for another value than `text` */
export function outputOf(query: URLSearchParams): 'text' | undefined {
  const value = query.get('output');
  if (value === null || value === '') return undefined;
  if (value === 'text') return value;
  throw StatusError.badRequest('output must be "text"');
}
