import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { TerminalError } from '../core/errors.ts';
import type { Duration } from '../core/time.ts';
import { forbiddenAddress } from './addresses.ts';

/** A host that may be fetched from whatever its address is. */
export interface AllowedHost {
  /** Lower case; an IPv6 address without brackets. */
  readonly host: string;
  /** Undefined allows every port. */
  readonly port: number | undefined;
}

export interface GuardOptions {
  /** Hosts that are exempt from the guard. For development only: whoever can write a source gets in. */
  readonly allowedHosts?: readonly AllowedHost[];
  /** What is guarded, for messages; artifacts unless given. */
  readonly purpose?: GuardPurpose;
  /** Resolves a name to all of its addresses; the system's resolver by default. */
  readonly resolve?: Resolve;
}

/** The words of a refusal. */
export interface GuardPurpose {
  /** What is not done, before the address: `artifacts are not fetched from`. */
  readonly refusal: string;
  /** What to do, before `at an address that is neither ...`. */
  readonly advice: string;
}

const fetchingArtifacts: GuardPurpose = {
  refusal: 'artifacts are not fetched from',
  advice: 'Serve the artifact',
};

export type Resolve = (
  hostname: string,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Refuses URLs and addresses that lead to the controller itself or to the machine below it (part A
 * 3.2). The URL is checked before a request, for a clear message; the address is checked once more
 * when the connection is made, so that a name cannot point somewhere else by then (DNS rebinding).
 */
export class Guard {
  readonly #allowed: readonly AllowedHost[];
  readonly #purpose: GuardPurpose;
  readonly #resolve: Resolve;

  constructor({
    allowedHosts = [],
    purpose = fetchingArtifacts,
    resolve = resolveBySystem,
  }: GuardOptions = {}) {
    this.#allowed = allowedHosts;
    this.#purpose = purpose;
    this.#resolve = resolve;
  }

  /**
   * The URL in its parsed form, where every spelling of an IPv4 address that inet_aton knows
   * (`0x7f000001`, `2130706433`, `017700000001`, `127.1`) has become the usual one.
   *
   * @throws TerminalError when nothing may be fetched from it.
   */
  checkUrl(text: string): URL {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined)
      throw this.#refused(text, 'it is not a URL; it must be http:// or https://');
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw this.#refused(
        text,
        `its scheme is ${url.protocol.slice(0, -1)}; it must be http or https`,
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw this.#refused(`${url.protocol}//${url.host}${url.pathname}`, 'it contains credentials');
    }
    const host = bareHost(url.hostname);
    if (this.#isAllowed(host, url.port === '' ? defaultPort(url.protocol) : Number(url.port))) {
      return url;
    }
    if (host === '' || /(?:^|\.)localhost$/.test(host)) {
      throw this.#refused(text, `its host is ${host === '' ? 'empty' : host}`);
    }
    const forbidden = isIP(host) === 0 ? undefined : forbiddenAddress(host);
    if (forbidden !== undefined) throw this.#refused(text, `its address ${host} is ${forbidden}`);
    return url;
  }

  /**
   * A pool of connections that are made to checked addresses only. No proxy of the environment is
   * used: it would resolve the name by itself, behind the guard.
   */
  agent(options: Omit<Agent.Options, 'connect'>, connectTimeout: Duration): Agent {
    return new Agent({ ...options, connect: this.connector({ timeout: connectTimeout }) });
  }

  /** Opens sockets with these TLS and timeout options, to checked addresses only. */
  connector(options: buildConnector.BuildOptions): buildConnector.connector {
    const open = buildConnector(options);
    const guarded = buildConnector({
      ...options,
      lookup: (hostname, { all }, callback) =>
        this.#lookUp(hostname, (error, addresses) => {
          const [first = { address: '', family: 0 }] = addresses;
          if (all === true) callback(error, addresses);
          else callback(error, first.address, first.family);
        }),
    });
    return (target, callback) => {
      const host = bareHost(target.hostname);
      const port = target.port === '' ? defaultPort(target.protocol) : Number(target.port);
      if (this.#isAllowed(host, port)) {
        open(target, callback);
        return;
      }
      // Node asks no resolver for an address.
      const forbidden = isIP(host) === 0 ? undefined : forbiddenAddress(host);
      if (forbidden === undefined) guarded(target, callback);
      else callback(this.#refused(host, `its address is ${forbidden}`), null);
    };
  }

  /** Resolves once; one forbidden address among them condemns them all. */
  #lookUp(
    hostname: string,
    callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
  ): void {
    this.#resolve(hostname, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      for (const { address } of addresses) {
        const forbidden = forbiddenAddress(address);
        if (forbidden !== undefined) {
          callback(this.#refused(hostname, `it resolves to ${address}, which is ${forbidden}`), []);
          return;
        }
      }
      callback(null, addresses);
    });
  }

  #isAllowed(host: string, port: number): boolean {
    return this.#allowed.some(
      (allowed) => allowed.host === host && (allowed.port ?? port) === port,
    );
  }

  #refused(what: string, why: string): TerminalError {
    const { refusal, advice } = this.#purpose;
    const [withoutQuery] = what.split(/[?#]/);
    return new TerminalError(
      `${refusal} ${withoutQuery ?? ''}: ${why}. ${advice} at an address that is ` +
        'neither loopback, link-local, multicast nor unspecified',
      { reason: 'StageFailed' },
    );
  }
}

function resolveBySystem(
  hostname: string,
  callback: (error: Error | null, addresses: LookupAddress[]) => void,
): void {
  systemLookup(hostname, { all: true, verbatim: true }, callback);
}

function bareHost(hostname: string): string {
  return hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '')
    .toLowerCase();
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80;
}
