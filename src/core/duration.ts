import { TerminalError } from './errors.ts';
import { type Duration, milliseconds } from './time.ts';

const expected = 'give a duration such as 90s, 15m or 1h30m';
const unitNames = 'ns, us, ms, s, m or h';

/** Nanoseconds of each unit. Both spellings of the micro sign are accepted, as in Go. */
const nanosecondsOf: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n],
  ['\u03bcs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

/** Magnitude of the smallest int64; the largest is one less. */
const limit = 1n << 63n;

/**
 * A duration as Go's `time.ParseDuration` reads it: an optional sign, then numbers with a unit each
 * (`1h30m`, `1.5h`, `-5m`, `100us`), or a bare `0`. Fractions of a millisecond are kept.
 *
 * @throws TerminalError for anything else, and for what does not fit into int64 nanoseconds.
 */
export function parseDuration(text: string): Duration {
  const nanoseconds = parseNanoseconds(text);
  return milliseconds(Number(nanoseconds / 1_000_000n) + Number(nanoseconds % 1_000_000n) / 1e6);
}

/** As {@link parseDuration}, but zero, negative and absent mean "not set" (part A 2.8). */
export function positiveDuration(text: string | undefined): Duration | undefined {
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  return duration > 0 ? duration : undefined;
}

function parseNanoseconds(text: string): bigint {
  const signed = /^[-+]/.test(text);
  const body = signed ? text.slice(1) : text;
  if (body === '0') return 0n;
  if (body === '') throw refusal(text, 'it has no number');
  let total = 0n;
  for (let at = 0; at < body.length; ) {
    const { nanoseconds, end } = parseTerm(text, body, at);
    total += nanoseconds;
    if (total > limit) throw tooLong(text);
    at = end;
  }
  if (text.startsWith('-')) return -total;
  if (total === limit) throw tooLong(text);
  return total;
}

function parseTerm(text: string, body: string, at: number): { nanoseconds: bigint; end: number } {
  const wholeEnd = skipDigits(body, at);
  const hasPoint = body[wholeEnd] === '.';
  const fractionEnd = hasPoint ? skipDigits(body, wholeEnd + 1) : wholeEnd;
  const whole = body.slice(at, wholeEnd);
  const fraction = hasPoint ? body.slice(wholeEnd + 1, fractionEnd) : '';
  if (whole === '' && fraction === '') throw refusal(text, 'a number is missing');
  const end = skipUnit(body, fractionEnd);
  const unit = body.slice(fractionEnd, end);
  if (unit === '') throw refusal(text, `a unit is missing, one of ${unitNames}`);
  const scale = nanosecondsOf.get(unit);
  if (scale === undefined) {
    throw refusal(text, `${quoted(unit)} is no unit, only ${unitNames} are`);
  }
  const nanoseconds = wholeOf(text, whole) * scale + fractionOf(fraction, scale);
  if (nanoseconds > limit) throw tooLong(text);
  return { nanoseconds, end };
}

function skipDigits(body: string, from: number): number {
  let at = from;
  while (isDigit(body[at])) at++;
  return at;
}

function skipUnit(body: string, from: number): number {
  let at = from;
  while (at < body.length && body[at] !== '.' && !isDigit(body[at])) at++;
  return at;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}

function wholeOf(text: string, digits: string): bigint {
  const significant = digits.replace(/^0+/, '');
  // More digits than int64 has: no need to compute with them.
  if (significant.length > 19) throw tooLong(text);
  return BigInt(`0${significant}`);
}

/** Go computes a fraction in floating point and cuts the result; so do we, digit for digit. */
function fractionOf(digits: string, scale: bigint): bigint {
  let numerator = 0n;
  let denominator = 1;
  for (const digit of digits) {
    if (numerator > (limit - 1n) / 10n) break;
    const next = numerator * 10n + BigInt(digit);
    if (next > limit) break;
    numerator = next;
    denominator *= 10;
  }
  return BigInt(Math.trunc(Number(numerator) * (Number(scale) / denominator)));
}

function refusal(text: string, problem: string): TerminalError {
  return new TerminalError(`${quoted(text)} is not a duration: ${problem}; ${expected}`);
}

function tooLong(text: string): TerminalError {
  return refusal(text, 'it is longer than the 292 years that a duration can hold');
}

/** Quoted on one line and cut, since it may be anything. */
function quoted(text: string): string {
  return text.length <= 40 ? JSON.stringify(text) : `${JSON.stringify(text.slice(0, 40))}...`;
}

/**
 * A duration as Go prints it: `1h30m0s`, `1.5s`, `100ms`, `0s`. Rounded to whole nanoseconds.
 *
 * @throws RangeError for a duration that is not a finite number.
 */
export function formatDuration(duration: Duration): string {
  const whole = Math.trunc(duration);
  const nanoseconds = BigInt(whole) * 1_000_000n + BigInt(Math.round((duration - whole) * 1e6));
  if (nanoseconds === 0n) return '0s';
  return nanoseconds < 0n ? `-${formatMagnitude(-nanoseconds)}` : formatMagnitude(nanoseconds);
}

function formatMagnitude(nanoseconds: bigint): string {
  if (nanoseconds < 1_000n) return `${nanoseconds.toString()}ns`;
  if (nanoseconds < 1_000_000n) return `${decimal(nanoseconds, 3)}\u00b5s`;
  if (nanoseconds < 1_000_000_000n) return `${decimal(nanoseconds, 6)}ms`;
  const totalMinutes = nanoseconds / 60_000_000_000n;
  const seconds = `${decimal(nanoseconds % 60_000_000_000n, 9)}s`;
  if (totalMinutes === 0n) return seconds;
  const minutes = `${(totalMinutes % 60n).toString()}m${seconds}`;
  const hours = totalMinutes / 60n;
  return hours === 0n ? minutes : `${hours.toString()}h${minutes}`;
}

/** A whole number of units of 10^-places, as a decimal without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  const whole = digits.slice(0, -places);
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
