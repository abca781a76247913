import type { Problem } from '../problem.ts';
import {
  comparePrereleases,
  compareVersions,
  isPrerelease,
  parseVersion,
  type Version,
} from './semver.ts';

/** Which versions are meant: those that one of the groups admits. */
export interface Constraint {
  readonly groups: readonly Group[];
}

/** Admits what all of its comparisons admit. */
interface Group {
  readonly comparisons: readonly Comparison[];
  /** Prereleases are meant at all only where a comparison of the group names one. */
  readonly prereleases: 'Meant' | 'LeftOut';
}

type Operator = '=' | '!=' | '>' | '<' | '>=' | '<=' | '~' | '^';

interface Comparison {
  readonly operator: Operator;
  /** What the operator is followed by, with 0 for each number that was left open. */
  readonly floor: Version;
  /** How many numbers were given before the first that was left open, as in `1.x`: 0 to 3. */
  readonly given: number;
}

const operators: ReadonlyMap<string, Operator> = new Map([
  ['', '='],
  ['=', '='],
  ['!=', '!='],
  ['>', '>'],
  ['<', '<'],
  ['>=', '>='],
  ['=>', '>='],
  ['<=', '<='],
  ['=<', '<='],
  ['~', '~'],
  ['~>', '~'],
  ['^', '^'],
]);

/** Characters, and alternatives divided by `||`, as Masterminds/semver limits them. */
const longest = 512;
const mostGroups = 32;

const number = '(?:\\d+|[xX*])';
const tail = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const blank = '[ \\t\\n\\f\\r]';
const operand = `v?${number}(?:\\.${number}){0,2}(?:-${tail})?(?:\\+${tail})?`;
const comparison = new RegExp(`([=!<>~^]{0,2})${blank}*(${operand})`, 'y');
const range = new RegExp(`(${operand})${blank}+-${blank}+(${operand})`, 'y');
const separator = new RegExp(`${blank}*,${blank}*|${blank}+|$`, 'y');
const parts = new RegExp(`^v?(${number})(?:\\.(${number}))?(?:\\.(${number}))?(-[^+]*)?`);

/**
 * Reads a constraint on versions in the grammar of Masterminds/semver v3 (part B 2.2): comparisons
 * with `=`, `!=`, `>`, `<`, `>=`, `<=`, `~` and `^`, all of which must hold where blanks or commas are
 * between them, and alternatives divided by `||`; ranges such as `1.2 - 1.4`, and open versions such
 * as `1.x`, `1.2` and `*`.
 */
export function parseConstraint(text: string): Constraint | Problem {
  if (text.trim() === '') return { problem: 'is empty; write a constraint such as >=1.2.0' };
  if (text.length > longest) return { problem: `is longer than ${longest} characters; shorten it` };
  const alternatives = text.split('||');
  if (alternatives.length > mostGroups) {
    return { problem: `has more than ${mostGroups} alternatives divided by ||; use fewer` };
  }
  const groups = alternatives.map(readGroup);
  const problem = groups.find((group) => 'problem' in group);
  return problem ?? { groups: groups.filter((group) => 'comparisons' in group) };
}

function readGroup(text: string): Group | Problem {
  const trimmed = text.replace(new RegExp(`^${blank}+|${blank}+$`, 'g'), '');
  const comparisons: (Comparison | undefined)[] = [];
  let divided: string | undefined;
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(trimmed);
    if (match !== null) at += match[0].length;
    return match ?? undefined;
  };
  do {
    // Masterminds/semver reads a range only at the beginning and behind a comma.
    const [, from, to] = divided === undefined || divided.includes(',') ? (take(range) ?? []) : [];
    if (from !== undefined && to !== undefined) {
      comparisons.push(comparisonOf('>=', from), comparisonOf('<=', to));
    } else {
      const [, operator = '', version = ''] = take(comparison) ?? [];
      comparisons.push(comparisonOf(operator, version));
    }
    [divided] = take(separator) ?? [];
  } while (divided !== undefined && divided !== '');
  const read = comparisons.filter((one) => one !== undefined);
  if (divided === undefined || read.length < comparisons.length) return unreadable;
  const prereleases = read.some(({ floor }) => isPrerelease(floor)) ? 'Meant' : 'LeftOut';
  return { comparisons: read, prereleases };
}

const unreadable: Problem = {
  problem: 'is no constraint on versions; write one such as >=1.2.0, ^1.4, 1.x or >=1.0.0 <2.0.0',
};

function comparisonOf(operatorText: string, text: string): Comparison | undefined {
  const operator = operators.get(operatorText);
  const [, major, minor, patch, prerelease = ''] = parts.exec(text) ?? [];
  if (operator === undefined || major === undefined) return undefined;
  const numbers = [major, minor, patch];
  const open = numbers.findIndex((part) => part === undefined || !/^\d/.test(part));
  const given = open === -1 ? 3 : open;
  const closed = numbers.map((part, index) => (index < given ? part : '0')).join('.');
  const floor = parseVersion(`${closed}${prerelease}`);
  return floor === undefined ? undefined : { operator, floor, given };
}

/** Whether a version is among those that a constraint means, as Masterminds/semver v3 judges. */
export function admits({ groups }: Constraint, version: Version): boolean {
  return groups.some(
    ({ comparisons, prereleases }) =>
      (prereleases === 'Meant' || !isPrerelease(version)) &&
      comparisons.every((one) => holds(one, version)),
  );
}

function holds({ operator, floor, given }: Comparison, version: Version): boolean {
  const order = compareVersions(version, floor);
  const isExact = given === 3;
  switch (operator) {
    case '=':
      return isExact ? order === 0 : isBeside(floor, given, version);
    case '!=':
      return isOther(floor, given, version);
    case '>':
      // Of 1.x, no version of 1 is above.
      return isExact || given === 0 ? order > 0 : compareNumbers(version, floor, given) > 0;
    case '<':
      return order < 0;
    case '>=':
      return order >= 0;
    case '<=':
      return isExact ? order <= 0 : compareNumbers(version, floor, given === 1 ? 1 : 2) <= 0;
    case '~':
      return isBeside(floor, given, version);
    case '^':
      return order >= 0 && compareNumbers(version, floor, leading(floor, given)) === 0;
  }
}

/** From the floor on, with the same major and, where that was given, minor number. */
function isBeside(floor: Version, given: number, version: Version): boolean {
  if (compareVersions(version, floor) < 0) return false;
  const { major, minor, patch } = floor;
  // `*` means all of them, and Masterminds/semver takes ~0.0.0 for that, too.
  const isAny = major + minor + patch === 0 && (given === 0 || given === 3);
  return isAny || compareNumbers(version, floor, given === 1 ? 1 : 2) === 0;
}

function isOther(floor: Version, given: number, version: Version): boolean {
  if (given === 1) return version.major !== floor.major;
  if (given !== 2) return compareVersions(version, floor) !== 0;
  return compareNumbers(version, floor, 2) !== 0 || comparePrereleases(version, floor) !== 0;
}

/** How many numbers `^` keeps as they are: up to the first that is not 0, or that was given last. */
function leading({ major, minor }: Version, given: number): number {
  if (major > 0 || given === 1) return 1;
  return minor > 0 || given === 2 ? 2 : 3;
}

/** The order of two versions by so many numbers, from the major one on. */
function compareNumbers(one: Version, other: Version, count: number): number {
  const differences = [
    one.major - other.major,
    one.minor - other.minor,
    one.patch - other.patch,
  ].slice(0, count);
  return differences.find((difference) => difference !== 0) ?? 0;
}
