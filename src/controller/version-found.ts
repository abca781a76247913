import type { VersionAnswer } from '../core/version/version-asks.ts';

/** An answer without the time at which it was found. */
export type Found = Untimed<VersionAnswer>;

type Untimed<Each> = Each extends unknown ? Omit<Each, 'at'> : never;

/** @param reason of the Ready condition */
export function refused({
  reason,
  message,
}: {
  readonly reason: string;
  readonly message: string;
}): Found {
  return { kind: 'Refused', reason, message };
}
