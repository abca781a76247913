import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { RetryableError } from '../core/errors.ts';
import type { Duration } from '../core/time.ts';
import type { Circuit } from './api-connection.ts';
import { abortReason, onAbort } from './wait.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One request as it goes over the wire. */
export interface Exchange {
  origin: string;
  method: Method;
  /** Path and query, escaped. */
  path: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** Time until the whole answer must be here. */
  deadline: Duration;
  signal: AbortSignal;
  /** Longest answer that is read, bytes. */
  maxBytes: number;
}

/** A complete answer, of any status. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Judges what turns out to be wrong with the body; set where the server may be a stranger's. */
  circuit?: Circuit;
}

/**
 * Sends one request and reads the whole answer. It speaks undici's handler interface: `request`
 * makes a stream for each answer, which JSON does not need (about a fifth more CPU, measured), and
 * its timeouts are for silence, not for the whole answer.
 * @throws RetryableError with reason `Timeout` or `ResponseTooLarge`; undici's error when the
 *   connection fails; the abort reason when `signal` fires.
 */
export function exchange(dispatcher: Dispatcher, request: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    if (request.signal.aborted) {
      reject(abortReason(request.signal));
      return;
    }
    let controller: Dispatcher.DispatchController | undefined;
    let failure: Error | undefined;
    let status = 0;
    let headers: IncomingHttpHeaders = {};
    let size = 0;
    const chunks: Buffer[] = [];

    const settle = (): void => {
      clearTimeout(timer);
      stopListening();
    };
    const fail = (error: Error): void => {
      if (failure !== undefined) return;
      failure = error;
      settle();
      controller?.abort(error);
      reject(error);
    };
    const stopListening = onAbort(request.signal, () => fail(abortReason(request.signal)));
    const timer = setTimeout(() => {
      const what = `${request.method} ${withoutQuery(request.path)}`;
      fail(
        new RetryableError(`${what}: no answer within ${Math.round(request.deadline)} ms`, {
          reason: 'Timeout',
        }),
      );
    }, request.deadline);

    dispatcher.dispatch(
      {
        origin: request.origin,
        method: request.method,
        path: request.path,
        headers: request.headers,
        body: request.body ?? null,
      },
      {
        onRequestStart(started) {
          controller = started;
          if (failure !== undefined) started.abort(failure);
        },
        onResponseStart(_, code, received) {
          status = code;
          headers = received;
        },
        onResponseData(_, chunk) {
          size += chunk.length;
          if (size > request.maxBytes) {
            fail(
              new RetryableError(
                `${request.method} ${withoutQuery(request.path)}: the answer is longer than ${request.maxBytes} bytes; ask for smaller pages`,
                { reason: 'ResponseTooLarge' },
              ),
            );
            return;
          }
          chunks.push(chunk);
        },
        onResponseEnd() {
          if (failure !== undefined) return;
          settle();
          const [only] = chunks;
          const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
          resolve({ status, headers, body: whole.toString('utf8') });
        },
        onResponseError(_, error) {
          if (failure !== undefined) return;
          settle();
          failure = error;
          reject(error);
        },
      },
    );
  });
}

/** The path of a request without its query, which may hold selectors that are nobody's business. */
export function withoutQuery(path: string): string {
  const query = path.indexOf('?');
  return query < 0 ? path : path.slice(0, query);
}
