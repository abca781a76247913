import { StatusError } from './status-error.ts';

/** How many entries an answer has where nobody asks for another number, and at most. */
export interface Limits {
  readonly usual: number;
  readonly largest: number;
}

/**
 * How many entries an answer may have. Absent and 0 are the usual number, as in API servers; more
 * than the largest is the largest.
 * @throws StatusError 400 for what is no whole number, or a negative one.
 */
export function limitOf(query: URLSearchParams, { usual, largest }: Limits): number {
  const text = query.get('limit') ?? '';
  if (text === '' || text === '0') return usual;
  if (!/^\d{1,15}$/.test(text)) {
    throw StatusError.badRequest(`limit must be a whole number from 1 to ${largest}`);
  }
  return Math.min(Number(text), largest);
}
