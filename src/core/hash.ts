import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** SHA-256 over the UTF-8 bytes of a text, as lower-case hex. */
export function sha256Hex(text: string): string {
  return sha256(text, 'hex');
}

/** SHA-256 over the UTF-8 bytes of a text; `base64url` is that of RFC 4648, without padding. */
export function sha256(text: string, encoding: 'hex' | 'base64url'): string {
  return createHash('sha256').update(text, 'utf8').digest(encoding);
}

/** SHA-256 of a JSON value, as lower-case hex; equal for equal values in any order of keys. */
export function digestOf(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}
