import { isIPv4, isIPv6 } from 'node:net';
import { patternProblem } from '../network/host-pattern.ts';
import type { ListenAddress } from '../types/listen-address.ts';
import { type GivenValue, refuse } from './values.ts';

/** A host that artifacts may be fetched from although its address is not public. */
export interface AllowedHost {
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string;
  /** Undefined allows every port. */
  readonly port: number | undefined;
}

const dnsName =
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\.?$/i;

/** `host:port`, or `:port` for every interface. */
export function readListenAddress(given: GivenValue): ListenAddress {
  const { host, port } = split(given.text);
  if (port === undefined || (host !== '' && !isHost(host))) {
    throw refuse(given, 'host:port or :port with a port from 1 to 65535, such as :8080');
  }
  return host === '' ? { port } : { host, port };
}

/** As `readListenAddress`; `0` means do not listen. */
export function readOptionalListenAddress(given: GivenValue): ListenAddress | undefined {
  return given.text === '0' ? undefined : readListenAddress(given);
}

/** `host` or `host:port`; IPv6 addresses in brackets. No scheme, no path, no pattern. */
export function readAllowedHost(given: GivenValue): AllowedHost {
  const withPort = split(given.text);
  if (withPort.port !== undefined && isHost(withPort.host)) {
    return { host: withPort.host.toLowerCase(), port: withPort.port };
  }
  const alone = given.text.startsWith('[') ? unbracketed(given.text) : given.text;
  if (isHost(alone) && isIPv6(alone) === given.text.startsWith('[')) {
    return { host: alone.toLowerCase(), port: undefined };
  }
  throw refuse(given, 'a host or host:port, such as localhost:9090 or [::1]');
}

/** A glob of host names, in lower case like the hosts of URLs: `*.example.com`. */
export function readHostPattern(given: GivenValue): string {
  const pattern = given.text.toLowerCase();
  const problem = patternProblem(pattern);
  if (problem === undefined) return pattern;
  throw refuse(given, `a glob of host names, such as *.example.com; the value ${problem}`);
}

/** How an operator would write it. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  if (host === undefined) return `:${port}`;
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function split(text: string): { host: string; port: number | undefined } {
  const [, bracketed, plain, digits] = /^(?:\[([^[\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port < 1 || port > 65535) return { host: '', port: undefined };
  if (bracketed !== undefined) {
    return isIPv6(bracketed) ? { host: bracketed, port } : { host: '', port: undefined };
  }
  return { host: plain ?? '', port };
}

function unbracketed(text: string): string {
  return text.endsWith(']') ? text.slice(1, -1) : '';
}

function isHost(host: string): boolean {
  // Digits and dots that are no address are a mistyped address, never a name.
  if (/^[\d.]+$/.test(host)) return isIPv4(host);
  return isIPv6(host) || dnsName.test(host);
}
