import type { CloudEndpoints } from './identity.ts';
import { transportTo } from './transport.ts';

/** One address of a managed cluster, as its cloud says it. */
export interface ClusterAddress {
  readonly server: URL;
  /** PEM; undefined for an address whose certificate is from a public authority. */
  readonly ca?: string;
}

/** An address as a cloud's API says it. @throws Error when it is none, without quoting it. */
export function addressFrom(endpoint: string | undefined, ca: string | undefined): ClusterAddress {
  const text = endpoint?.includes('://') === false ? `https://${endpoint}` : (endpoint ?? '');
  const server = URL.canParse(text) ? new URL(text) : undefined;
  if (server?.protocol !== 'https:') {
    throw new Error('the answer has no address; the cluster may still be in the making');
  }
  if (ca === undefined) return { server };
  return { server, ca: Buffer.from(ca, 'base64').toString('utf8') };
}

/** The JSON that a cloud's API answers to a bearer of a token. @throws Error that says the status */
export async function ask(
  method: 'GET' | 'POST',
  url: URL,
  token: string,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
  const send = transportTo([url], endpoints);
  const { status, body } = await send({ method, url, headers, ...bodyFor(method) }, signal);
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new Error(`the answer ${status} is no JSON`);
  }
  if (status === 200) return answer;
  const said = asText(at(answer, 'error', 'message'));
  throw new Error(said === undefined ? `it answered ${status}` : `it answered ${status}: ${said}`);
}

function bodyFor(method: 'GET' | 'POST'): { body?: string } {
  return method === 'POST' ? { body: '' } : {};
}

/** What is at a path of fields; undefined where there is nothing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const field of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, field)) {
      return undefined;
    }
    current = Reflect.get(current, field);
  }
  return current;
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
