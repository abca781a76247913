import { after, between, type Duration, type Instant, instant, minutes } from '../core/time.ts';

/** What a rotation may look at; all times are those that the certificates themselves state. */
export interface RotationState {
  /** The authority whose leaf is served. Undefined when there is none at all. */
  active: Lifetime | undefined;
  /** End of the leaf that is served. */
  leafUntil: Instant;
  /** Whether the active authority issued the leaf, for every name that it is called by. */
  leaf: 'Fits' | 'Unfit';
  /** The authority that is published and does not serve yet. */
  next: Lifetime | undefined;
  /** Ends of the authorities that served before and are still published. */
  previousUntil: readonly Instant[];
}

interface Lifetime {
  issuedAt: Instant;
  until: Instant;
}

export interface RotationTerms {
  /** How long a new authority is published before anything that it signed is served. */
  overlap: Duration;
}

export type RotationStep =
  /** Make an authority and a leaf, and serve at once: there is nothing that could be verified. */
  | { kind: 'Create' }
  /** A leaf by the active authority, with the names that lack. */
  | { kind: 'Reissue' }
  /** Make the next authority and publish it beside the others. */
  | { kind: 'PublishNext' }
  /** Serve a leaf by the next authority; `OnceSeen`: when everybody is known to trust it. */
  | { kind: 'Activate'; when: 'OnceSeen' | 'Now' }
  /** Publish no longer what has ended. */
  | { kind: 'DropEnded' }
  | { kind: 'Wait'; until: Instant };

/** Ten minutes: callers follow a `caBundle` by watches, and one that is cut off lists again by then. */
export const defaultTerms: RotationTerms = { overlap: minutes(10) };

/**
 * The next step on the way to an authority with more than a third of its life ahead: publish the
 * new one beside the old, serve by it after the overlap, publish the old one until it has ended.
 * What is served stays verifiable by what was published an overlap ago, at every step.
 */
export function decideRotation(
  state: RotationState,
  now: Instant,
  terms: RotationTerms = defaultTerms,
): RotationStep {
  const { active, next } = state;
  const nextLives = next !== undefined && now < next.until;
  if (active === undefined) return { kind: 'Create' };
  if (now >= active.until) {
    // Nobody can verify what is served any more: waiting for the overlap would protect nothing.
    return nextLives ? { kind: 'Activate', when: 'Now' } : { kind: 'Create' };
  }
  if (state.leaf === 'Unfit' || now >= state.leafUntil) return { kind: 'Reissue' };
  if (nextLives) {
    const activateAt = after(next.issuedAt, terms.overlap);
    if (now >= activateAt) return { kind: 'Activate', when: 'OnceSeen' };
    return { kind: 'Wait', until: instant(Math.min(activateAt, active.until, state.leafUntil)) };
  }
  const renewAt = lastThird(active.issuedAt, instant(Math.min(active.until, state.leafUntil)));
  if (now >= renewAt) return { kind: 'PublishNext' };
  if (state.previousUntil.some((until) => now >= until)) return { kind: 'DropEnded' };
  return { kind: 'Wait', until: instant(Math.min(renewAt, ...state.previousUntil)) };
}

function lastThird(from: Instant, until: Instant): Instant {
  return instant(until - between(from, until) / 3);
}
