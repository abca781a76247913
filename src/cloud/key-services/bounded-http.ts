import { Agent, type Dispatcher } from 'undici';
import { RetryableError, TerminalError } from '../../core/errors.ts';
import { type Duration, seconds } from '../../core/time.ts';
import { abortReason } from '../../kubernetes/wait.ts';

export interface BoundedRequest {
  /** http or https. */
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
}

export interface BoundedAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface BoundedHttpOptions {
  /** Makes the connections; a pool of its own unless given. */
  readonly dispatcher?: Dispatcher;
  /** Certificates to trust instead of the usual ones, as PEM. */
  readonly ca?: string;
  /** Longest time of one request with its answer. */
  readonly timeout?: Duration;
}

/** Most bytes of an answer: a data key and a few words. */
const largestAnswer = 64 * 1024;
const largestHeaders = 16 * 1024;

/**
 * Sends requests whose answers are small and come soon, whoever is at the other end. Redirects are
 * answers like any other, so that nothing that was sent goes elsewhere, and proxies of the environment
 * are not used.
 */
export class BoundedHttp {
  readonly #dispatcher: Dispatcher;
  readonly #timeout: Duration;

  constructor({ dispatcher, ca, timeout = seconds(10) }: BoundedHttpOptions = {}) {
    this.#timeout = timeout;
    this.#dispatcher =
      dispatcher ??
      new Agent({
        connect: { timeout: Math.min(timeout, 5000), ...(ca === undefined ? {} : { ca }) },
        headersTimeout: timeout,
        bodyTimeout: timeout,
        connections: 8,
        pipelining: 1,
        maxHeaderSize: largestHeaders,
      });
  }

  /**
   * @throws RetryableError when there is no answer in time, TerminalError when it is too large, the
   * signal's reason when aborted. No message has what was sent.
   */
  async send(request: BoundedRequest, signal: AbortSignal): Promise<BoundedAnswer> {
    const { url } = request;
    const deadline = AbortSignal.timeout(this.#timeout);
    try {
      return await this.#exchange(request, AbortSignal.any([signal, deadline]));
    } catch (error) {
      if (signal.aborted) throw abortReason(signal);
      if (error instanceof TerminalError) throw error;
      const why = deadline.aborted
        ? `it did not answer within ${this.#timeout / 1000} s`
        : `it could not be reached: ${error instanceof Error ? error.message : String(error)}`;
      throw new RetryableError(`${url.host}: ${why}`);
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #exchange(request: BoundedRequest, signal: AbortSignal): Promise<BoundedAnswer> {
    const { url, method, headers, body } = request;
    const response = await this.#dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as Dispatcher.HttpMethod,
      headers: { ...headers, 'accept-encoding': 'identity' },
      ...(body === undefined ? {} : { body }),
      signal,
    });
    // A body that is given up emits an error, whether somebody reads it or not.
    response.body.on('error', () => undefined);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > largestAnswer) {
        throw new TerminalError(`${url.host}: its answer has more than ${largestAnswer} bytes`);
      }
      chunks.push(chunk);
    }
    return {
      status: response.statusCode,
      headers: plainHeaders(response.headers),
      body: Buffer.concat(chunks),
    };
  }
}

function plainHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === undefined) return [];
      return [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value] as const];
    }),
  );
}
