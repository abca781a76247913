import type { Agent, Dispatcher } from 'undici';
import { RetryableError, TerminalError } from '../core/errors.ts';
import { seconds } from '../core/time.ts';
import { type AllowedHost, Guard, type GuardPurpose, type Resolve } from './guard.ts';
import { matchesHost } from './host-pattern.ts';
import { secretRefusal } from './secret-redirect.ts';

export interface GuardedHttpOptions {
  /** Globs of `--allowed-action-hosts`; empty allows every host that the guard does. */
  readonly allowedHosts: readonly string[];
  /** Exempt from the guard. For development only. */
  readonly exempt?: readonly AllowedHost[];
  readonly resolve?: Resolve;
  readonly purpose: GuardPurpose;
}

/** A request that is ready to be sent. */
export interface OutgoingRequest {
  readonly method: string;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
  /** Whether anything of it comes from a Secret, which must not reach another host. */
  readonly secret: boolean;
}

/** What the last server of a way answered. Its body has not been read: read it or {@link discard} it. */
export interface FinalAnswer {
  readonly url: URL;
  readonly response: Dispatcher.ResponseData;
}

/** Bounds of one request. */
export interface SendOptions {
  /** Ends the whole way, redirects included. */
  readonly signal: AbortSignal;
  /** Whether an answer that redirects is the one that was wanted; by default none is. */
  readonly isFinal?: (status: number) => boolean;
}

const mostRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Milliseconds of one request, redirects included (part A 2.8, part B 4.5). */
export const requestBound = seconds(30);
const connectBound = seconds(10);
const keptOpen = seconds(4);

/** Bytes of an answer that are read, so that its connection can be used again; they are not kept. */
const mostDiscarded = 64 * 1024;

/** Connections to one host, for all tenants. */
const mostConnections = 16;

/**
 * Asks servers that tenants name (part A 7.3, part B 4.5). Where a request goes is checked as a text
 * first, at each redirect again, and as an address when the connection is made; no proxy of the
 * environment is used.
 */
export class GuardedHttp {
  readonly #allowed: readonly string[];
  readonly #purpose: GuardPurpose;
  readonly #guard: Guard;
  readonly #agent: Agent;

  constructor({ allowedHosts, exempt = [], resolve, purpose }: GuardedHttpOptions) {
    this.#allowed = allowedHosts;
    this.#purpose = purpose;
    this.#guard = new Guard({
      allowedHosts: exempt,
      purpose,
      ...(resolve === undefined ? {} : { resolve }),
    });
    this.#agent = this.#guard.agent(
      {
        connections: mostConnections,
        headersTimeout: requestBound,
        bodyTimeout: connectBound,
        keepAliveTimeout: keptOpen,
        // A server may ask for more, and each StageSet may call another one.
        keepAliveMaxTimeout: keptOpen,
        maxHeaderSize: 32 * 1024,
      },
      connectBound,
    );
  }

  /** @throws TerminalError for a place that nobody is sent to. */
  check(text: string): URL {
    const url = this.#guard.checkUrl(text);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (this.#allowed.length === 0 || this.#allowed.some((glob) => matchesHost(glob, host))) {
      return url;
    }
    throw new TerminalError(
      `${this.#purpose.refusal} ${host}: it matches none of --allowed-action-hosts; ` +
        'ask whoever runs the controller to allow it, or name another host',
    );
  }

  /**
   * One request with its redirects, of which at most ten are followed.
   *
   * @param first as {@link check} returned it
   * @throws TerminalError for a redirect to a forbidden place, or with a Secret to another host;
   *   RetryableError where there is no answer.
   */
  async send(
    first: URL,
    request: OutgoingRequest,
    { signal, isFinal = () => false }: SendOptions,
  ): Promise<FinalAnswer> {
    let url = first;
    let outgoing = request;
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const response = await this.#sendOnce(url, outgoing, signal);
      const { statusCode } = response;
      const next = redirects.has(statusCode) ? locationOf(url, response) : undefined;
      if (next === undefined || isFinal(statusCode)) return { url, response };
      await discard(response, signal);
      url = this.#follow(url, next, outgoing);
      outgoing = redirected(outgoing, statusCode);
    }
    throw new TerminalError(`${first.host} redirects more than ${mostRedirects} times`);
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  /**
   * A server may hide the Secret that it was sent in the place that it redirects to, in lower case or
   * encoded, where no search for the value finds it: nothing of that place is told.
   */
  #follow(from: URL, location: string, { secret }: OutgoingRequest): URL {
    const refusal = secret ? secretRefusal(from, new URL(location)) : undefined;
    if (refusal !== undefined) throw refusal;
    try {
      return this.check(location);
    } catch {
      throw new TerminalError(
        `${from.host} redirects to a place that is refused: another scheme, a URL with ` +
          'credentials, an address of the machine or its link, or a host that matches none of ' +
          '--allowed-action-hosts; give a URL that is not redirected there',
      );
    }
  }

  async #sendOnce(
    url: URL,
    { method, headers, body }: OutgoingRequest,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const response = await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        signal,
      });
      // A body that is given up emits an error, whether somebody reads it or not.
      response.body.on('error', () => undefined);
      return response;
    } catch (error) {
      if (error instanceof TerminalError) throw error;
      throw noAnswer(url, error, signal);
    }
  }
}

/** Reads the body of an answer away, as far as it is short, for the sake of its connection. */
export async function discard(
  { body }: Dispatcher.ResponseData,
  signal: AbortSignal,
): Promise<void> {
  await body.dump({ limit: mostDiscarded, signal }).catch(() => undefined);
}

/** Why there is no answer, or only half of one; nobody knows whether the request was carried out. */
export function noAnswer(url: URL, error: unknown, signal: AbortSignal): RetryableError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const refused = codeOf(cause);
  if (refused === 'ECONNREFUSED' || refused === 'ENOTFOUND') {
    return new RetryableError(`${url.host} cannot be reached: ${refused}`);
  }
  const problem = certificateProblem(refused);
  if (problem !== undefined) {
    return new RetryableError(`the certificate of ${url.host} is not accepted: ${problem}`);
  }
  const late = signal.aborted || refused?.includes('TIMEOUT') === true;
  const reason = late ? 'Timeout' : 'ConnectionFailed';
  const why = late ? 'it did not answer in time' : (refused ?? 'the connection broke');
  return new RetryableError(`${url.host} gave no answer: ${why}`, { reason });
}

/** What OpenSSL, or Node after it, has against a certificate; nothing was sent then. */
function certificateProblem(code: string | undefined): string | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `it has expired (${code})`;
    case 'CERT_NOT_YET_VALID':
      return `it is not valid yet (${code})`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `it is for another name (${code})`;
    case 'INVALID_PURPOSE':
      return `it is not for servers (${code})`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return (
        `no authority that the controller trusts has signed it (${code}); name the file of its ` +
        'authority in the variable NODE_EXTRA_CA_CERTS of the controller'
      );
    default:
      return code?.startsWith('CERT_') === true ? code : undefined;
  }
}

/** Milliseconds of a Retry-After, which is seconds, or a time by the server's own clock. */
function askedPause(headers: Dispatcher.ResponseData['headers']): number | undefined {
  const { 'retry-after': asked, date } = headers;
  if (typeof asked !== 'string') return undefined;
  if (/^\d{1,5}$/.test(asked)) return Number(asked) * 1000;
  const pause = Date.parse(asked) - Date.parse(typeof date === 'string' ? date : '');
  return pause > 0 ? pause : undefined;
}

/**
 * An answer with another status than the wanted one. What is sure to be answered again alike is
 * terminal: 4xx, but for 408 and 429.
 *
 * @param wanted the status in words: `2xx`
 */
export function unwantedStatus(
  { url, response: { statusCode, headers } }: FinalAnswer,
  wanted: string,
): TerminalError | RetryableError {
  const message = `${url.host} answered ${statusCode} instead of ${wanted}`;
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408 && statusCode !== 429) {
    return new TerminalError(message);
  }
  const retryAfter = askedPause(headers);
  return new RetryableError(message, retryAfter === undefined ? {} : { retryAfter });
}

function locationOf(url: URL, { headers }: Dispatcher.ResponseData): string | undefined {
  const { location } = headers;
  if (typeof location !== 'string' || !URL.canParse(location, url.href)) return undefined;
  return new URL(location, url).href;
}

/** As browsers do (RFC 9110, section 15.4): 303 asks for a GET, and 301 and 302 make one of a POST. */
function redirected(request: OutgoingRequest, status: number): OutgoingRequest {
  const becomesGet = status === 303 || (request.method === 'POST' && status < 303);
  if (!becomesGet || request.method === 'HEAD') return request;
  return { ...request, method: 'GET', body: undefined };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
