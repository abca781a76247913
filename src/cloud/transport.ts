import { Agent } from 'undici';
import { RetryableError } from '../core/errors.ts';
import { seconds } from '../core/time.ts';
import { type Answer, exchange, type Method } from '../kubernetes/exchange.ts';
import type { CloudEndpoints } from './identity.ts';

/** A request as an SDK has made it. */
interface CloudRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** Sends one request and reads its whole answer, of any status. */
export type Send = (request: CloudRequest, signal: AbortSignal) => Promise<Answer>;

/** Time for one request, its connection included. */
const deadline = seconds(10);

const connectTimeout = seconds(5);

/** Longest answer, bytes: tokens and descriptions of clusters are a few thousand. */
const longestAnswer = 1024 * 1024;

const methods: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Connections to the clouds' own addresses, and to those that an operator has named. */
interface Agents {
  readonly usual: Agent;
  readonly named: Agent;
}

const agents = new WeakMap<CloudEndpoints, Agents>();

/**
 * What the SDKs send their requests with, in place of their own HTTP: to these origins and nowhere else
 * whatever the environment or an answer says, past no proxy, following no redirect, with a deadline and
 * a bound for the answer.
 *
 * @throws RetryableError for another origin, a timeout or a long answer; undici's error when the
 *   connection fails; the abort reason when the signal fires.
 */
export function transportTo(origins: readonly URL[], endpoints: CloudEndpoints): Send {
  const { usual, named } = agentsFor(endpoints);
  const namedOrigins = originsOf(endpoints);
  const allowed = origins.map(({ origin }) => origin);
  return async ({ method, url, headers, body }, signal) => {
    const known = methods.find((each) => each === method);
    if (known === undefined || !allowed.includes(url.origin)) {
      throw new RetryableError(
        `a request to ${url.host} was not sent: it is no part of this login`,
      );
    }
    const agent = namedOrigins.has(url.origin) ? named : usual;
    return await exchange(agent, {
      origin: url.origin,
      method: known,
      path: `${url.pathname}${url.search}`,
      headers: withoutConnection(headers),
      body,
      deadline,
      signal,
      maxBytes: longestAnswer,
    });
  };
}

function agentsFor(endpoints: CloudEndpoints): Agents {
  const known = agents.get(endpoints);
  if (known !== undefined) return known;
  const { ca } = endpoints;
  const made = { usual: agentWith({}), named: agentWith(ca === undefined ? {} : { ca }) };
  agents.set(endpoints, made);
  return made;
}

function agentWith(tls: { readonly ca?: string }): Agent {
  return new Agent({
    connections: 8,
    connect: { timeout: connectTimeout, ...tls },
    keepAliveTimeout: seconds(4),
  });
}

function originsOf(endpoints: CloudEndpoints): ReadonlySet<string> {
  const named = Object.values(endpoints).filter((value) => value instanceof URL);
  return new Set(named.map(({ origin }) => origin));
}

/** These are for the connection to say; undici refuses some of them. */
const ofConnection = ['host', 'connection', 'content-length', 'accept-encoding', 'expect'];

function withoutConnection(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers).filter(
    ([name]) => !ofConnection.includes(name.toLowerCase()),
  );
  return { ...Object.fromEntries(kept), 'accept-encoding': 'identity' };
}
