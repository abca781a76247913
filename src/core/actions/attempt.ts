import type { ObjectReference } from '../../types/kubernetes.ts';
import type { AwaitedHealth } from '../health/awaited.ts';
import type { Instant } from '../time.ts';

/** An object that an action made; another one under its name is not meant. */
export interface MadeObject extends ObjectReference {
  readonly uid: string;
}

/** What an action waits for after its attempt; nobody's worker is held meanwhile. */
export type Awaited =
  /** `wait.duration`: the time of its end. */
  | { readonly kind: 'Time'; readonly until: Instant }
  /** `wait.expr`: becomes true of the target. */
  | { readonly kind: 'Expression'; readonly target: ObjectReference; readonly expression: string }
  /** Jobs that end; `made` are all objects that go when they have. */
  | {
      readonly kind: 'Jobs';
      readonly jobs: readonly MadeObject[];
      readonly made: readonly MadeObject[];
    }
  /** What `apply` with `wait` applied, as last seen. */
  | { readonly kind: 'Health'; readonly health: readonly AwaitedHealth[] };

/** What came of one attempt at an action that did not fail. */
export type Attempt =
  | { readonly kind: 'Done' }
  | { readonly kind: 'Await'; readonly awaited: Awaited }
  /** Something of an earlier attempt is in the way and about to go; this one does not count. */
  | { readonly kind: 'Obstructed'; readonly message: string };

/** An attempt that was given up half way: nobody but its end knows what it had made by then. */
export class AbandonedAttempt extends Error {
  readonly made: readonly MadeObject[];

  constructor(made: readonly MadeObject[], cause: unknown) {
    super('the attempt was given up', { cause });
    this.name = 'AbandonedAttempt';
    this.made = made;
  }
}

/** What came of an attempt that nobody has waited for, as far as it has to go. */
export function madeByAttempt(attempt: Attempt): readonly MadeObject[] {
  if (attempt.kind !== 'Await' || attempt.awaited.kind !== 'Jobs') return [];
  return attempt.awaited.made;
}

/** What a look at the thing awaited found. */
export type ActionLook =
  | { readonly kind: 'Done' }
  | { readonly kind: 'NotYet'; readonly message: string; readonly awaited: Awaited }
  | { readonly kind: 'Failed'; readonly message: string };
