import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '../validate/json-object.ts';

/**
 * Whether a live value has all that a rendered one says, so that applying it would change nothing for
 * sure. It may say no of equal values that are spelled in another way; a list counts as a whole.
 */
export function contains(live: unknown, rendered: unknown): boolean {
  if (!isJsonObject(rendered)) return isDeepStrictEqual(live, rendered);
  if (!isJsonObject(live)) return false;
  return Object.entries(rendered).every(([name, value]) => contains(live[name], value));
}
