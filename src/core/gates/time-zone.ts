import { type Duration, type Instant, instant, milliseconds } from '../time.ts';

/** A stretch of time in which the clocks of a zone are neither put forward nor back. */
interface OffsetSpan {
  readonly from: Instant;
  /** No longer part of it. */
  readonly until: Instant;
  /** What the clocks show ahead of UTC. */
  readonly offset: Duration;
}

/** An IANA time zone. */
export interface TimeZone {
  readonly name: string;
  /** The stretch that an instant is in, as far as it was looked at: the next one may go on with the same offset. */
  spanAt(at: Instant): OffsetSpan;
}

const day = 86_400_000;

/** Stretches are found for so many days at once. */
const daysOfChunk = 32;
const chunk = daysOfChunk * day;

/** Chunks that a zone remembers: more than the five years that are ever looked ahead. */
const mostChunks = 256;

/** More than there are zones; names may be written in other cases, too. */
const mostZones = 1_000;
const longestName = 64;

const zones = new Map<string, TimeZone>();

/** The zone of an IANA name such as `Europe/Berlin`; undefined where there is none of that name. */
export function findTimeZone(name: string): TimeZone | undefined {
  const known = zones.get(name);
  if (known !== undefined) return known;
  // Fixed offsets such as `+01:00` are time zones for later runtimes, and no IANA names.
  if (!/^[A-Za-z]/.test(name) || name.length > longestName) return undefined;
  const offsets = offsetFormat(name);
  if (offsets === undefined) return undefined;
  const zone = offsets.resolvedOptions().timeZone === 'UTC' ? utcNamed(name) : named(name, offsets);
  if (zones.size >= mostZones) zones.clear();
  zones.set(name, zone);
  return zone;
}

function offsetFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  } catch {
    // The one thing that can be wrong with these options is the name.
    return undefined;
  }
}

function utcNamed(name: string): TimeZone {
  const always: OffsetSpan = {
    from: instant(Number.NEGATIVE_INFINITY),
    until: instant(Number.POSITIVE_INFINITY),
    offset: milliseconds(0),
  };
  return { name, spanAt: () => always };
}

function named(name: string, offsets: Intl.DateTimeFormat): TimeZone {
  const chunks = new Map<number, readonly OffsetSpan[]>();
  const spansOf = (index: number): readonly OffsetSpan[] => {
    const known = chunks.get(index);
    if (known !== undefined) return known;
    if (chunks.size >= mostChunks) chunks.clear();
    const spans = findSpans(offsets, instant(index * chunk));
    chunks.set(index, spans);
    return spans;
  };
  const spanAt = (at: Instant): OffsetSpan => {
    const found = spansOf(Math.floor(at / chunk)).find(({ until }) => at < until);
    if (found === undefined) throw new RangeError(`${name} has no time at ${at}`);
    return found;
  };
  return { name, spanAt };
}

/** The stretches of one chunk. That clocks go there and back within one day has never happened. */
function findSpans(offsets: Intl.DateTimeFormat, start: Instant): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let from = start;
  let offset = offsetAt(offsets, start);
  for (let days = 1; days <= daysOfChunk; days += 1) {
    const at = instant(start + days * day);
    const next = offsetAt(offsets, at);
    if (next === offset) continue;
    const change = changeBetween(offsets, instant(at - day), at);
    spans.push({ from, until: change, offset });
    from = change;
    offset = next;
  }
  if (from < start + chunk) spans.push({ from, until: instant(start + chunk), offset });
  return spans;
}

/** The second at which the offset becomes that of `after`. */
function changeBetween(offsets: Intl.DateTimeFormat, before: Instant, after: Instant): Instant {
  const old = offsetAt(offsets, before);
  let low = before / 1000;
  let high = after / 1000;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(offsets, instant(middle * 1000)) === old) low = middle;
    else high = middle;
  }
  return instant(high * 1000);
}

/** Such as `3/29/2026, GMT+02:00`, of historical times with seconds; `GMT` alone is UTC. */
function offsetAt(offsets: Intl.DateTimeFormat, at: Instant): Duration {
  const text = offsets.format(at);
  const [, sign, hours, minutes, seconds] =
    /GMT(?:([+-])(\d{2}):(\d{2})(?::(\d{2}))?)?$/.exec(text) ?? [];
  if (sign === undefined) return milliseconds(0);
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds ?? 0);
  return milliseconds((sign === '-' ? -ahead : ahead) * 1000);
}
