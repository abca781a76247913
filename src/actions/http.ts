import type { Agent, Dispatcher } from 'undici';
import type { Attempt } from '../core/actions/attempt.ts';
import { RetryableError, TerminalError } from '../core/errors.ts';
import { seconds } from '../core/time.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { type AllowedHost, Guard, type Resolve } from '../network/guard.ts';
import { matchesHost } from '../network/host-pattern.ts';
import type { HttpAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';
import { type PreparedRequest, prepareRequest } from './http-request.ts';
import { secretRefusal } from './secret-redirect.ts';

export interface HttpActionsOptions {
  /** Globs of `--allowed-action-hosts`; empty allows every host that the guard does. */
  readonly allowedHosts: readonly string[];
  /** Exempt from the guard. For development only. */
  readonly exempt?: readonly AllowedHost[];
  readonly resolve?: Resolve;
}

const mostRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Milliseconds of one attempt, redirects included (part A 2.8). */
const attemptBound = seconds(30);
const connectBound = seconds(10);
const keptOpen = seconds(4);

/** Bytes of an answer that are read, so that its connection can be used again; they are not kept. */
const mostRead = 64 * 1024;

/** Connections to one host, for all tenants. */
const mostConnections = 16;

/**
 * Makes the requests of `http` actions (part A 7.3). Where a request goes is checked as a text first,
 * at each redirect again, and as an address when the connection is made; no proxy of the environment
 * is used. Of an answer only its status is ever told.
 */
export class HttpActions {
  readonly #allowed: readonly string[];
  readonly #guard: Guard;
  readonly #agent: Agent;

  constructor({ allowedHosts, exempt = [], resolve }: HttpActionsOptions) {
    this.#allowed = allowedHosts;
    this.#guard = new Guard({
      allowedHosts: exempt,
      purpose: { refusal: 'http actions do not call', advice: 'Call a server' },
      ...(resolve === undefined ? {} : { resolve }),
    });
    this.#agent = this.#guard.agent(
      {
        connections: mostConnections,
        headersTimeout: attemptBound,
        bodyTimeout: connectBound,
        keepAliveTimeout: keptOpen,
        // A server may ask for more, and each StageSet may call another one.
        keepAliveMaxTimeout: keptOpen,
        maxHeaderSize: 32 * 1024,
      },
      connectBound,
    );
  }

  /**
   * One request with its redirects.
   *
   * @throws TerminalError for what trying again cannot change: a forbidden place, an answer 4xx but 408
   *   and 429, an entry of a Secret that is missing; RetryableError for the rest.
   */
  async call(context: ActionContext, http: HttpAction, call: CallOptions): Promise<Attempt> {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(attemptBound)]);
    const first = this.#check(http.url);
    let request = await prepareRequest(context, http, { ...call, signal });
    let url = first;
    for (let hop = 0; hop <= mostRedirects; hop += 1) {
      const response = await this.#send(url, request, signal);
      const { statusCode } = response;
      const next = redirects.has(statusCode) ? locationOf(url, response) : undefined;
      if (next === undefined || isExpected(http, statusCode)) return judge(http, url, response);
      url = this.#follow(url, next, request);
      request = redirected(request, statusCode);
    }
    throw new TerminalError(`${first.host} redirects more than ${mostRedirects} times`);
  }

  async stop(): Promise<void> {
    await this.#agent.destroy();
  }

  #check(text: string): URL {
    const url = this.#guard.checkUrl(text);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    if (this.#allowed.length === 0 || this.#allowed.some((glob) => matchesHost(glob, host))) {
      return url;
    }
    throw new TerminalError(
      `http actions do not call ${host}: it matches none of --allowed-action-hosts; ` +
        'ask whoever runs the controller to allow it, or call another host',
    );
  }

  /**
   * A server may hide the Secret that it was sent in the place that it redirects to, in lower case or
   * encoded, where no search for the value finds it: nothing of that place is told.
   */
  #follow(from: URL, location: string, { secret }: PreparedRequest): URL {
    const refusal = secret ? secretRefusal(from, new URL(location)) : undefined;
    if (refusal !== undefined) throw refusal;
    try {
      return this.#check(location);
    } catch {
      throw new TerminalError(
        `${from.host} redirects to where http actions do not lead: another scheme, a URL with ` +
          'credentials, an address of the machine or its link, or a host that matches none of ' +
          '--allowed-action-hosts; give a URL that is not redirected there',
      );
    }
  }

  async #send(
    url: URL,
    { method, headers, body }: PreparedRequest,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      const response = await this.#agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: method,
        headers,
        ...(body === undefined ? {} : { body }),
        signal,
      });
      // A body that is given up emits an error, whether somebody reads it or not.
      response.body.on('error', () => undefined);
      await response.body.dump({ limit: mostRead, signal }).catch(() => undefined);
      return response;
    } catch (error) {
      if (error instanceof TerminalError) throw error;
      throw unreachable(url, error, signal);
    }
  }
}

function judge(
  http: HttpAction,
  url: URL,
  { statusCode, headers }: Dispatcher.ResponseData,
): Attempt {
  if (isExpected(http, statusCode)) return { kind: 'Done' };
  const wanted = http.expectedStatus?.length ? http.expectedStatus.join(', ') : '2xx';
  const message = `${url.host} answered ${statusCode} instead of ${wanted}`;
  if (statusCode >= 400 && statusCode < 500 && statusCode !== 408 && statusCode !== 429) {
    throw new TerminalError(message);
  }
  const retryAfter = askedPause(headers);
  throw new RetryableError(message, retryAfter === undefined ? {} : { retryAfter });
}

/** Milliseconds of a Retry-After, which is seconds, or a time by the server's own clock. */
function askedPause(headers: Dispatcher.ResponseData['headers']): number | undefined {
  const { 'retry-after': asked, date } = headers;
  if (typeof asked !== 'string') return undefined;
  if (/^\d{1,5}$/.test(asked)) return Number(asked) * 1000;
  const pause = Date.parse(asked) - Date.parse(typeof date === 'string' ? date : '');
  return pause > 0 ? pause : undefined;
}

function isExpected({ expectedStatus = [] }: HttpAction, status: number): boolean {
  if (expectedStatus.length > 0) return expectedStatus.includes(status);
  return status >= 200 && status < 300;
}

function locationOf(url: URL, { headers }: Dispatcher.ResponseData): string | undefined {
  const { location } = headers;
  if (typeof location !== 'string' || !URL.canParse(location, url.href)) return undefined;
  return new URL(location, url).href;
}

/** As browsers do (RFC 9110, section 15.4): 303 asks for a GET, and 301 and 302 make one of a POST. */
function redirected(request: PreparedRequest, status: number): PreparedRequest {
  const becomesGet = status === 303 || (request.method === 'POST' && status < 303);
  if (!becomesGet || request.method === 'HEAD') return request;
  return { ...request, method: 'GET', body: undefined };
}

/** Nobody knows whether a request without an answer was carried out. */
function unreachable(url: URL, error: unknown, signal: AbortSignal): RetryableError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const refused = codeOf(cause);
  if (refused === 'ECONNREFUSED' || refused === 'ENOTFOUND') {
    return new RetryableError(`${url.host} cannot be reached: ${refused}`);
  }
  const late = signal.aborted || refused?.includes('TIMEOUT') === true;
  const reason = late ? 'Timeout' : 'ConnectionFailed';
  const why = late ? 'it did not answer in time' : (refused ?? 'the connection broke');
  return new RetryableError(`${url.host} gave no answer: ${why}`, { reason });
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
