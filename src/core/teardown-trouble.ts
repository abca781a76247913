import type { Failure } from './failure.ts';
import { after, type Instant, seconds } from './time.ts';

/** Why waiting cannot help: the API refuses for good, or the identity is gone. */
export type PermanentCause = 'permanent' | 'unauthorized';

/** Failed attempts in a row, and the last of them. */
export interface TeardownTrouble {
  /** From 1. */
  readonly failures: number;
  readonly failure: Failure & { readonly at: Instant };
  /** The refusals among them, without another kind of failure in between. */
  readonly refusal: Refusals | undefined;
}

interface Refusals {
  readonly kind: RefusalKind;
  readonly since: Instant;
  readonly count: number;
}

/**
 * What a refusal says: `Forbidden` that the identity lacks a right, `Unauthorized` that its
 * credentials were not taken even when they were new, `AccountGone` that there is no such
 * ServiceAccount any more.
 */
export type RefusalKind = 'Forbidden' | 'Unauthorized' | 'AccountGone';

/** The trouble with one more failure. */
export function withFailure(
  before: TeardownTrouble | undefined,
  failure: Failure,
  kind: RefusalKind | undefined,
  at: Instant,
): TeardownTrouble {
  const failures = (before?.failures ?? 0) + 1;
  const previous = before?.refusal;
  const refusal =
    kind === undefined
      ? undefined
      : { kind, since: previous?.since ?? at, count: (previous?.count ?? 0) + 1 };
  return { failures, failure: { ...failure, at }, refusal };
}

const fewestRefusals = 3;
const shortestRefusal = seconds(30);

/**
 * Why no waiting can help, or undefined while it may (part A 2.10). While a namespace is deleted its
 * role bindings and ServiceAccounts come and go in any order, and grants take a moment to be known:
 * a refusal must last. Only an account that does not exist is no matter of time.
 */
export function lastingCause({ failure, refusal }: TeardownTrouble): PermanentCause | undefined {
  if (refusal === undefined) return undefined;
  if (refusal.kind === 'AccountGone') return 'unauthorized';
  const lasts = refusal.count >= fewestRefusals && failure.at >= patienceEnds(refusal);
  if (!lasts) return undefined;
  return refusal.kind === 'Forbidden' ? 'permanent' : 'unauthorized';
}

/** When a refusal has lasted long enough. */
export function patienceEnds({ since }: Refusals): Instant {
  return after(since, shortestRefusal);
}
