/**
 * Time in this project is a branded number, so that an instant, a duration and a count cannot be
 * taken for each other. The clock is injected at the edges; nothing in core reads it.
 */
declare const instantBrand: unique symbol;
declare const durationBrand: unique symbol;

/** A point in time: milliseconds since the Unix epoch, UTC. */
export type Instant = number & { readonly [instantBrand]: true };

/** A span of time in milliseconds. */
export type Duration = number & { readonly [durationBrand]: true };

/** The only source of the current time. */
export type Clock = () => Instant;

export function instant(epochMilliseconds: number): Instant {
  return epochMilliseconds as Instant;
}

export function milliseconds(span: number): Duration {
  return span as Duration;
}

export function seconds(span: number): Duration {
  return (span * 1000) as Duration;
}

export function minutes(span: number): Duration {
  return (span * 60_000) as Duration;
}

/** The instant `span` after `start`. */
export function after(start: Instant, span: Duration): Instant {
  return (start + span) as Instant;
}

/** The span from `start` to `end`; negative when `end` is earlier. */
export function between(start: Instant, end: Instant): Duration {
  return (end - start) as Duration;
}

/** RFC 3339 in UTC with whole seconds, as `metav1.Time` is written. */
export function toRfc3339(at: Instant): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** The instant that an RFC 3339 text names; undefined for none, and for a text that names none. */
export function timeOf(text: string | undefined): Instant | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : instant(time);
}

/**
 * The next whole second. Times are recorded in whole seconds: rounded up, none names a moment before
 * its own.
 */
export function toWholeSecond(at: Instant): Instant {
  return instant(Math.ceil(at / 1000) * 1000);
}

/** The earlier one of those that are known. */
export function earlier(one: Instant, other: Instant | undefined): Instant;
export function earlier(one: Instant | undefined, other: Instant | undefined): Instant | undefined;
export function earlier(one: Instant | undefined, other: Instant | undefined): Instant | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
