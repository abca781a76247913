import type { Instant } from '../core/time.ts';

/** `metav1.MicroTime`: RFC 3339 with exactly six digits of the second, which Leases insist on. */
export function toMicroTime(at: Instant): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
