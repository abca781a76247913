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
