import { isIP } from 'node:net';
import { TerminalError } from '../core/errors.ts';

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;
const longestCommonName = 64;
const longestDnsName = 253;

/**
 * Refuses what a client would refuse later with a worse message. A common name is at most 64
 * characters (RFC 5280 appendix A, ub-common-name): long names belong into the DNS names.
 *
 * @throws TerminalError naming the value
 */
export function checkCommonName(commonName: string): void {
  if (commonName === '' || commonName.length > longestCommonName) {
    throw new TerminalError(
      `common name "${commonName}": must have 1 to ${longestCommonName} characters; use a DNS name for a longer one`,
    );
  }
}

/**
 * A DNS name of a subjectAltName: RFC 1123 labels, the first may be `*`.
 *
 * @throws TerminalError naming the value
 */
export function checkDnsName(name: string): void {
  const labels = name.split('.');
  const valid =
    name.length <= longestDnsName &&
    labels.every((part, index) => label.test(part) || (index === 0 && part === '*')) &&
    name !== '*';
  if (!valid) {
    throw new TerminalError(`DNS name "${name}": must be RFC 1123 labels joined by dots`);
  }
}

/**
 * An IP address of a subjectAltName, without brackets, zone or prefix length.
 *
 * @throws TerminalError naming the value
 */
export function checkIpAddress(address: string): void {
  if (isIP(address) === 0 || address.includes('%')) {
    throw new TerminalError(`IP address "${address}": must be an IPv4 or IPv6 address`);
  }
}
