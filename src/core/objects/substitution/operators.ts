import { isUtf8 } from 'node:buffer';
import { ExpressionError } from './expression-error.ts';
import { Glob } from './glob.ts';
import type { Limits } from './limits.ts';

/** What an operator makes of a variable's value and its arguments. */
type Operation = (value: string, args: readonly string[], limits: Limits) => string;

/** The operators that need a variable to be set, by how they are written after its name. */
export const operations: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['', (value) => value],
  ['^', (value) => mapFirst(value, toUpper)],
  ['^^', (value, _, limits) => mapAll(value, toUpper, limits)],
  [',', (value) => mapFirst(value, toLower)],
  [',,', (value, _, limits) => mapAll(value, toLower, limits)],
  [':', substring],
  ['#', (value, [pattern = ''], limits) => prefixGone(value, pattern, 'Shortest', limits)],
  ['##', (value, [pattern = ''], limits) => prefixGone(value, pattern, 'Longest', limits)],
  ['%', (value, [pattern = ''], limits) => suffixGone(value, pattern, 'Shortest', limits)],
  ['%%', (value, [pattern = ''], limits) => suffixGone(value, pattern, 'Longest', limits)],
  ['/', replaceFirst],
  ['//', replaceAll],
  [
    '/#',
    (value, [wanted = '', replacement = '']) =>
      value.startsWith(wanted) ? replacement + value.slice(wanted.length) : value,
  ],
  [
    '/%',
    (value, [wanted = '', replacement = '']) =>
      value.endsWith(wanted) ? value.slice(0, value.length - wanted.length) + replacement : value,
  ],
]);

/** The operators that give a variable a default; to all of them unset and empty are the same. */
export const defaultOperators: ReadonlySet<string> = new Set(['=', ':=', ':-', ':?', ':+']);

/** Steps that taking a text apart into its characters costs for each of them. */
const perCharacter = 8;

function prefixGone(
  value: string,
  pattern: string,
  which: 'Shortest' | 'Longest',
  limits: Limits,
): string {
  limits.spend((value.length + pattern.length) * perCharacter);
  return new Glob(pattern).withoutPrefix(value, which, limits);
}

function suffixGone(
  value: string,
  pattern: string,
  which: 'Shortest' | 'Longest',
  limits: Limits,
): string {
  limits.spend((value.length + pattern.length) * perCharacter);
  return new Glob(pattern).withoutSuffix(value, which, limits);
}

/** Literal, as Flux has it: what is special in a shell pattern stands for itself. */
function replaceFirst(value: string, [wanted = '', replacement = '']: readonly string[]): string {
  const at = wanted === '' ? -1 : value.indexOf(wanted);
  return at === -1 ? value : value.slice(0, at) + replacement + value.slice(at + wanted.length);
}

function replaceAll(
  value: string,
  [wanted = '', replacement = '']: readonly string[],
  limits: Limits,
): string {
  if (wanted === '') return value;
  const pieces = value.split(wanted);
  // Before it is made: a single expression could ask for more than there is memory.
  limits.produce((pieces.length - 1) * replacement.length);
  return pieces.join(replacement);
}

/**
 * `${a:position}` and `${a:position:length}`, in UTF-8 bytes. A negative position counts from the
 * end, and so does a negative length. What is no number leaves the value as it is.
 */
function substring(value: string, [position = '', length]: readonly string[]): string {
  const start = integerOf(position);
  const count = length === undefined ? Number.POSITIVE_INFINITY : integerOf(length);
  if (start === undefined || count === undefined) return value;
  const bytes = Buffer.from(value);
  const from = start < 0 ? Math.max(0, bytes.length + start) : start;
  if (from >= bytes.length) return '';
  const to = count < 0 ? bytes.length + count : Math.min(bytes.length, from + count);
  if (to < from) throw new ExpressionError('ends before it begins; use another length');
  const part = bytes.subarray(from, to);
  if (!isUtf8(part)) {
    throw new ExpressionError('cuts a character in two: positions count bytes in UTF-8');
  }
  return part.toString();
}

function integerOf(text: string): number | undefined {
  const digits = text.trim();
  if (!/^[+-]?\d+$/.test(digits)) return undefined;
  const number = Number(digits);
  // More than Go can count is no number to it.
  return Math.abs(number) < 2 ** 63 ? number : undefined;
}

function toUpper(character: string): string {
  return sameLength(character, character.toUpperCase());
}

function toLower(character: string): string {
  return sameLength(character, character.toLowerCase());
}

/** Only one character stands for one character, as in Go; `ß` has no upper case of one. */
function sameLength(character: string, mapped: string): string {
  return Array.from(mapped).length === 1 ? mapped : character;
}

function mapFirst(value: string, map: (character: string) => string): string {
  const first = String.fromCodePoint(value.codePointAt(0) ?? 0);
  return value === '' ? '' : map(first) + value.slice(first.length);
}

function mapAll(value: string, map: (character: string) => string, limits: Limits): string {
  limits.spend(value.length * perCharacter);
  return Array.from(value, map).join('');
}
