import { createHash } from 'node:crypto';
import type { Agent, Dispatcher } from 'undici';
import type { Guard } from '../network/guard.ts';
import { badArtifact, fetchFailed } from './failures.ts';
import type { Spool } from './spool.ts';

export interface Download {
  readonly guard: Guard;
  readonly agent: Agent;
  /** Largest body that is accepted, in bytes. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Downloaded {
  readonly sha256: string;
  readonly bytes: number;
}

const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Streams what is at a URL into a spool. Redirects are followed on the same host only, each one
 * through the guard; then the answer must be exactly 200. No credentials are sent, and no content
 * encoding is undone: the digest is over the bytes as they are stored.
 *
 * @throws TerminalError for what the guard refuses and a body over the bound, RetryableError for all
 * that may be better the next time.
 */
export async function download(url: URL, into: Spool, options: Download): Promise<Downloaded> {
  let current = url;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const response = await request(current, options);
    if (response.statusCode === 200) return store(current, response, into, options.maxBytes);
    await response.body.dump({ limit: 64 * 1024 });
    if (!redirects.has(response.statusCode)) throw unexpectedStatus(current, response);
    current = nextHop(current, response, options.guard);
  }
  throw fetchFailed(url, `it redirects more than ${maxRedirects} times`);
}

async function request(url: URL, { agent, signal }: Download): Promise<Dispatcher.ResponseData> {
  const response = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    headers: { 'user-agent': 'stageset-controller', 'accept-encoding': 'identity' },
    signal,
  });
  // A body that is given up emits an error, whether somebody reads it or not.
  response.body.on('error', () => undefined);
  return response;
}

async function store(
  url: URL,
  { headers, body }: Dispatcher.ResponseData,
  into: Spool,
  maxBytes: number,
): Promise<Downloaded> {
  const tooLarge = (): Error =>
    badArtifact(`at ${url.origin}${url.pathname} has more than ${maxBytes} bytes; split it`);
  if (Number(headers['content-length'] ?? 0) > maxBytes) {
    body.destroy();
    throw tooLarge();
  }
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge();
    hash.update(chunk);
    await into.write(chunk);
  }
  return { sha256: hash.digest('hex'), bytes };
}

function nextHop(url: URL, { headers }: Dispatcher.ResponseData, guard: Guard): URL {
  const location = headers['location'];
  if (typeof location !== 'string' || !URL.canParse(location, url.href)) {
    throw fetchFailed(url, 'it redirects to nowhere');
  }
  const next = guard.checkUrl(new URL(location, url).href);
  if (!isSamePlace(url, next)) {
    throw badArtifact(
      `at ${url.origin}${url.pathname} redirects to ${next.origin}; redirects to other hosts are ` +
        'not followed: let the source give the final URL',
    );
  }
  return next;
}

/** The same host and port, or the same host's usual step from http to https. */
function isSamePlace(one: URL, next: URL): boolean {
  if (one.origin === next.origin) return true;
  const upgraded = one.protocol === 'http:' && next.protocol === 'https:';
  return upgraded && one.hostname === next.hostname && one.port === '' && next.port === '';
}

function unexpectedStatus(url: URL, { statusCode, headers }: Dispatcher.ResponseData): Error {
  const retryAfter = headers['retry-after'];
  const wait = typeof retryAfter === 'string' && /^\d{1,5}$/.test(retryAfter);
  return fetchFailed(
    url,
    `the server answered ${statusCode} instead of 200`,
    wait ? { retryAfter: Number(retryAfter) * 1000 } : {},
  );
}
