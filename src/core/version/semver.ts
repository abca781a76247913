import { compare, type SemVer, parse as strictParse } from 'semver';

/** A version that can be compared. */
export type Version = SemVer;

/** What Masterminds/semver takes: an optional `v`, one to three numbers, and the two tails. */
const lenient =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/**
 * The version that a text means, as the field's Go tools read it: `v1.4` is `1.4.0`. Undefined for
 * text that is no version, is longer than 256 characters, or has a number that cannot be counted
 * exactly.
 */
export function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch, prerelease = '', build = ''] = lenient.exec(text) ?? [];
  if (major === undefined) return undefined;
  const numbers = [major, minor, patch].map(withoutLeadingZeros).join('.');
  return strictParse(`${numbers}${prerelease}${build}`) ?? undefined;
}

function withoutLeadingZeros(digits = '0'): string {
  return digits.replace(/^0+(?=\d)/, '');
}

/**
 * Whether a version is the least one or a later one, by the precedence of SemVer 2.0.0: a prerelease
 * comes before its release, and build metadata does not count.
 */
export function isAtLeast(version: Version, least: Version): boolean {
  return compare(version, least) >= 0;
}

/** Below, at or above zero as the first comes before, with or after the second, by the same order. */
export function compareVersions(one: Version, other: Version): number {
  return compare(one, other);
}

/** The order of the prerelease tails alone; no tail comes last. */
export function comparePrereleases(one: Version, other: Version): number {
  return one.comparePre(other);
}

export function isPrerelease({ prerelease }: Version): boolean {
  return prerelease.length > 0;
}

/** Whether two texts mean the same version, as `2.0` and `v2.0.0` do; texts that mean none never do. */
export function isSameVersion(one: string, other: string): boolean {
  const [first, second] = [parseVersion(one), parseVersion(other)];
  return first !== undefined && second !== undefined && compare(first, second) === 0;
}
