import { type Dispatcher, errors } from 'undici';
import { RetryableError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { type Duration, milliseconds, seconds } from '../core/time.ts';
import type { ApiConnection } from './api-connection.ts';
import { ApiError, errorFromAnswer } from './api-error.ts';
import { type BackoffPolicy, backoffDelay, type Random, REQUEST_BACKOFF } from './backoff.ts';
import { type Answer, exchange, type Method, withoutQuery } from './exchange.ts';
import type { Identity } from './identity.ts';
import type { RequestLimit } from './in-flight-limit.ts';
import type { Purpose, Session } from './pools.ts';
import { ServerDoubt } from './server-doubt.ts';
import { abortReason, onAbort, pause } from './wait.ts';

/** Limits of one call. */
export interface CallOptions {
  signal: AbortSignal;
  /** Time for the whole call, its repeats included. Default 30 s. */
  timeout?: Duration;
}

/** One API request, before authentication. */
export interface ApiRequest {
  method: Method;
  /** Path and query as the API server knows them, escaped. */
  path: string;
  body?: string;
  contentType?: string;
  accept?: string;
  headers?: Readonly<Record<string, string>>;
  /**
   * Whether doing it twice is the same as doing it once: `Idempotent` requests are repeated when the
   * connection broke and nobody knows whether the first one was carried out.
   */
  idempotence: 'Idempotent' | 'Once';
  /** Set for requests whose error messages might quote secret values. */
  sensitive?: boolean;
}

/** What an observer learns about each answered or failed attempt. */
export interface RequestObservation {
  method: Method;
  /** HTTP status, or `<error>` when there was no answer, as client-go's request metric has it. */
  code: string;
  duration: Duration;
}

export interface TransportOptions {
  userAgent?: string;
  /** Longest answer, bytes. Default 256 MiB. */
  maxBytes?: number;
  /** Longest list, bytes of all of its pages. Default: as long as it is. */
  longestList?: number;
  /** Attempts for one call, the first included. Default 5. */
  attempts?: number;
  backoff?: BackoffPolicy;
  random?: Random;
  observe?: (observation: RequestObservation) => void;
  /** Told about `Warning: 299` headers. */
  onWarning?: (warning: string) => void;
}

const DEFAULT_TIMEOUT = seconds(30);

/**
 * Carries requests to one API server as one identity: in-flight limit, deadline, authentication
 * with one repeat on 401, and repeats where they are safe.
 */
export class Transport {
  readonly connection: ApiConnection;
  readonly identity: Identity;
  readonly #options: TransportOptions;
  readonly #limit: RequestLimit;
  readonly #userAgent: string;

  /** @param limit of the requests in flight; that of the connection unless another one is given */
  constructor(
    connection: ApiConnection,
    identity: Identity,
    options: TransportOptions = {},
    limit: RequestLimit = connection.limit,
  ) {
    this.connection = connection;
    this.identity = identity;
    this.#options = options;
    this.#limit = limit;
    this.#userAgent = options.userAgent ?? 'stageset-controller';
  }

  /** Bytes of all pages of one list. */
  get longestList(): number {
    return this.#options.longestList ?? Number.POSITIVE_INFINITY;
  }

  /** The same connection, options and limit for another identity. */
  as(identity: Identity): Transport {
    return new Transport(this.connection, identity, this.#options, this.#limit);
  }

  /** The same in all but the limit of requests in flight. */
  withLimit(limit: RequestLimit): Transport {
    return new Transport(this.connection, this.identity, this.#options, limit);
  }

  /**
   * The answer, with a status below 400.
   * @throws ApiError for any other status; RetryableError with reason `Timeout` or
   *   `ConnectionFailed`, or what the connection's circuit makes of that, or with `ServerNotReady`
   *   what the server says before it is ready; the abort reason.
   */
  async send(request: ApiRequest, call: CallOptions): Promise<Answer> {
    const { circuit } = this.connection;
    if (circuit === undefined) return await this.#believed(request, call);
    circuit.admit();
    try {
      const answer = await this.#repeated(request, call);
      circuit.answered();
      return { ...answer, circuit };
    } catch (error) {
      throw call.signal.aborted ? error : circuit.failed(error);
    }
  }

  async #believed(request: ApiRequest, call: CallOptions): Promise<Answer> {
    const { doubt } = this.connection;
    try {
      return await this.#repeated(request, call);
    } catch (error) {
      if (doubt === undefined || call.signal.aborted) throw error;
      throw await doubt.judged(error, async () => await this.as({ kind: 'Own' }).#isReady());
    }
  }

  async #isReady(): Promise<boolean> {
    const { patience } = ServerDoubt;
    const readyz = { method: 'GET', path: '/readyz', idempotence: 'Idempotent' } as const;
    try {
      await this.#once(readyz, '', AbortSignal.timeout(patience), performance.now() + patience);
      return true;
    } catch {
      return false;
    }
  }

  async #repeated(request: ApiRequest, call: CallOptions): Promise<Answer> {
    const end = performance.now() + (call.timeout ?? DEFAULT_TIMEOUT);
    const attempts = this.#options.attempts ?? 5;
    for (let attempt = 1; ; attempt += 1) {
      let failure: unknown;
      try {
        return await this.#authenticated(request, call.signal, end);
      } catch (error) {
        failure = error;
      }
      if (call.signal.aborted) throw abortReason(call.signal);
      const delay = attempt < attempts ? this.#repeatAfter(request, failure, attempt) : undefined;
      if (delay === undefined || performance.now() + delay >= end) {
        throw described(request, failure);
      }
      await pause(delay, call.signal);
    }
  }

  /** A request whose answer is a stream, and the dispatcher to send it on: see `watch.ts`. */
  async openStream(
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<{ dispatcher: Dispatcher; options: Dispatcher.DispatchOptions; token: string }> {
    const session = await this.connection.session();
    const token = await this.#token(signal);
    const purpose: Purpose = this.identity.kind === 'Token' ? 'TenantWatches' : 'Watches';
    return {
      dispatcher: session.dispatcher(purpose),
      options: {
        origin: session.origin,
        method: request.method,
        path: session.basePath + request.path,
        headers: this.#headers(request, session, token),
      },
      token,
    };
  }

  /** What a server said, without what we have told it: one that is not ours may say it again. */
  withoutSecrets(text: string, token: string): string {
    const { secrets } = this.connection;
    return secrets === undefined ? text : redact(text, new Set([...secrets, token]));
  }

  /** Renews what a 401 says is no longer good: the token, or all of the kubeconfig's credentials. */
  async renew(token: string): Promise<void> {
    if (this.identity.kind === 'Token') this.identity.onUnauthorized(token);
    else await this.connection.reload();
  }

  async #authenticated(request: ApiRequest, signal: AbortSignal, end: number): Promise<Answer> {
    const token = await this.#token(signal);
    try {
      return await this.#once(request, token, signal, end);
    } catch (error) {
      // Authentication comes before admission: nothing was done, so any method may be repeated.
      if (!(error instanceof ApiError) || error.code !== 401) throw error;
      await this.renew(token);
      try {
        return await this.#once(request, await this.#token(signal), signal, end);
      } catch (second) {
        throw second instanceof ApiError && second.code === 401
          ? unauthorized(second, this.identity)
          : second;
      }
    }
  }

  async #once(
    request: ApiRequest,
    token: string,
    signal: AbortSignal,
    end: number,
  ): Promise<Answer> {
    const limit = this.#limit;
    if (!limit.tryEnter()) await this.#enterBy(end, request, signal);
    const started = performance.now();
    let code = '<error>';
    try {
      const ready = this.connection.session();
      const session: Session = ready instanceof Promise ? await ready : ready;
      const purpose: Purpose = this.identity.kind === 'Token' ? 'TenantRequests' : 'Requests';
      const answer = await exchange(session.dispatcher(purpose), {
        origin: session.origin,
        method: request.method,
        path: session.basePath + request.path,
        headers: this.#headers(request, session, token),
        body: request.body,
        deadline: milliseconds(Math.max(1, end - performance.now())),
        signal,
        maxBytes: this.#options.maxBytes ?? 256 * 1024 * 1024,
      });
      code = String(answer.status);
      if (answer.status >= 400) throw this.#errorFrom(request, answer, token);
      if (answer.status >= 300 && answer.status !== 304) {
        throw new RetryableError(
          `${describe(request)}: the answer is a redirect (${answer.status}), which is not followed`,
          { reason: 'Redirected' },
        );
      }
      if (answer.headers['warning'] !== undefined) this.#warn(answer.headers['warning']);
      return answer;
    } finally {
      limit.leave();
      this.#options.observe?.({
        method: request.method,
        code,
        duration: milliseconds(performance.now() - started),
      });
    }
  }

  /** Waits for a slot, but not past the deadline. */
  async #enterBy(end: number, request: ApiRequest, signal: AbortSignal): Promise<void> {
    const late = new AbortController();
    const stopListening = onAbort(signal, () => late.abort(abortReason(signal)));
    const timer = setTimeout(
      () =>
        late.abort(
          new RetryableError(
            `${describe(request)}: no free request slot to the API server before the deadline`,
            { reason: 'Timeout' },
          ),
        ),
      Math.max(1, end - performance.now()),
    );
    try {
      await this.#limit.enter(late.signal);
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }

  #token(signal: AbortSignal): string | Promise<string> {
    return this.identity.kind === 'Token' ? this.identity.provider(signal) : '';
  }

  #headers(request: ApiRequest, session: Session, token: string): Record<string, string> {
    const headers: Record<string, string> = {
      'user-agent': this.#userAgent,
      accept: request.accept ?? 'application/json',
    };
    if (request.contentType !== undefined) headers['content-type'] = request.contentType;
    if (request.headers !== undefined) Object.assign(headers, request.headers);
    if (this.identity.kind === 'Token') {
      headers['authorization'] = `Bearer ${token}`;
      if (this.identity.user !== undefined) headers['impersonate-user'] = this.identity.user;
      return headers;
    }
    Object.assign(headers, session.headers);
    if (this.identity.kind === 'Impersonated') headers['impersonate-user'] = this.identity.user;
    return headers;
  }

  #errorFrom(request: ApiRequest, answer: Answer, token: string): ApiError {
    return errorFromAnswer({
      status: answer.status,
      body: this.withoutSecrets(answer.body, token),
      retryAfter: answer.headers['retry-after'],
      request: describe(request),
      ...(request.sensitive === undefined ? {} : { sensitive: request.sensitive }),
    });
  }

  #warn(header: string | string[]): void {
    const { onWarning } = this.#options;
    if (onWarning === undefined) return;
    for (const warning of Array.isArray(header) ? header : [header]) onWarning(warning);
  }

  /** How long to wait before a repeat, or undefined when the request must not be repeated. */
  #repeatAfter(request: ApiRequest, failure: unknown, attempt: number): Duration | undefined {
    const delay = backoffDelay(
      this.#options.backoff ?? REQUEST_BACKOFF,
      attempt,
      this.#options.random ?? Math.random,
    );
    if (failure instanceof ApiError) {
      // 429 is said before anything is carried out. 5xx may be said after.
      const turnedAway = failure.code === 429;
      const unavailable =
        [502, 503, 504].includes(failure.code) || failure.retryAfter !== undefined;
      if (
        !turnedAway &&
        !(unavailable && failure.code >= 500 && request.idempotence === 'Idempotent')
      ) {
        return undefined;
      }
      return milliseconds(Math.max(delay, failure.retryAfter ?? 0));
    }
    if (isNeverSent(failure)) return delay;
    return isConnectionFailure(failure) && request.idempotence === 'Idempotent' ? delay : undefined;
  }
}

/** Errors with which a request cannot have reached the server. */
function isNeverSent(error: unknown): boolean {
  return (
    error instanceof errors.ConnectTimeoutError ||
    error instanceof errors.ClientClosedError ||
    ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(
      codeOf(error),
    )
  );
}

/** Errors of the connection, after which nobody knows whether the request was carried out. */
export function isConnectionFailure(error: unknown): boolean {
  return (
    isNeverSent(error) ||
    codeOf(error).startsWith('UND_ERR_') ||
    ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED'].includes(codeOf(error)) ||
    codeOf(error).startsWith('HPE_')
  );
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function describe(request: ApiRequest): string {
  return `${request.method} ${withoutQuery(request.path)}`;
}

/** Library errors are wrapped where they enter. */
function described(request: ApiRequest, failure: unknown): unknown {
  if (failure instanceof ApiError || failure instanceof RetryableError) return failure;
  if (!(failure instanceof Error) || codeOf(failure) === '') return failure;
  return new RetryableError(`${describe(request)}: ${failure.message}`, {
    reason: 'ConnectionFailed',
    cause: failure,
  });
}

function unauthorized(error: ApiError, identity: Identity): ApiError {
  const hint =
    identity.kind === 'Token'
      ? 'a new token was refused too: the ServiceAccount may be gone, or its namespace terminating'
      : 'credentials were read again and refused too: check the kubeconfig or the ServiceAccount token';
  return new ApiError({
    code: error.code,
    reason: error.reason === '' ? 'Unauthorized' : error.reason,
    message: `${error.message} (${hint})`,
    details: error.details,
    ...(error.request === undefined ? {} : { request: error.request }),
  });
}
