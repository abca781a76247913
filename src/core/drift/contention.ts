import { after, between, type Duration, type Instant, minutes, seconds } from '../time.ts';

/** How often one object had to be corrected lately, and how long it is left alone for that. */
export interface Contention {
  /** Corrections of the last minute, oldest first; never empty, the last one always stays. */
  readonly corrections: readonly Instant[];
  /** Set while somebody writes against us: the pause after the last correction. */
  readonly pause: Duration | undefined;
}

/** Corrections within a minute that nobody needs to hear of. */
const patience = 5;
const window = minutes(1);
const firstPause = seconds(10);

/**
 * What one more correction makes of it. The sixth correction within a minute is a contest: the object
 * is then left alone for 10 s, and twice as long after each correction that follows, up to `longest`.
 * After a minute of quiet beyond the pause it starts over.
 */
export function afterCorrection(
  before: Contention | undefined,
  at: Instant,
  longest: Duration,
): Contention {
  if (before === undefined || isQuiet(before, at)) return { corrections: [at], pause: undefined };
  const recent = before.corrections.filter((one) => between(one, at) < window);
  // One more than the patience is all that ever counts.
  const corrections = [...recent, at].slice(-(patience + 1));
  return { corrections, pause: pauseAfter(before, corrections.length, longest) };
}

function pauseAfter(before: Contention, recent: number, longest: Duration): Contention['pause'] {
  const bound = Math.max(longest, firstPause) as Duration;
  if (before.pause !== undefined) return Math.min(before.pause * 2, bound) as Duration;
  return recent > patience ? firstPause : undefined;
}

/** When the object may be corrected again; in the past where nothing keeps it. */
export function correctableFrom(contention: Contention): Instant {
  const last = lastOf(contention);
  return contention.pause === undefined ? last : after(last, contention.pause);
}

/** Whether nobody has written against us for so long that it can be forgotten. */
function isQuiet(contention: Contention, at: Instant): boolean {
  return between(correctableFrom(contention), at) >= window;
}

function lastOf({ corrections }: Contention): Instant {
  const last = corrections.at(-1);
  if (last === undefined) throw new Error('a contention has at least one correction');
  return last;
}
