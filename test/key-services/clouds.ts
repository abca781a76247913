import { Agent } from 'undici';
import type { Asking } from '../../src/cloud/key-services/asking.ts';
import type { CloudCredentials } from '../../src/cloud/key-services/credentials.ts';
import { instant, seconds } from '../../src/core/time.ts';
import { exchange } from '../../src/kubernetes/exchange.ts';
import { awsKeys } from './aws-kms-server.ts';
import { gcpToken } from './gcp-kms-server.ts';
import { azureToken } from './key-vault-server.ts';

/** The credentials of one identity, as the clouds' token services give them. */
export function testCredentials(kind: CloudCredentials['kind'] = 'Controller'): CloudCredentials {
  const expiresAt = instant(Date.now() + 3_600_000);
  return {
    kind,
    aws: async () => await Promise.resolve(awsKeys),
    gcp: async () => await Promise.resolve({ token: gcpToken, expiresAt }),
    azure: async () => await Promise.resolve({ token: azureToken, expiresAt }),
  };
}

/**
 * The internet of a test: hosts that are local servers. All others cannot be reached, and are
 * remembered in `strangers`.
 */
export class TestInternet {
  readonly strangers: string[] = [];
  readonly #hosts: ReadonlyMap<string, string>;
  readonly #agent = new Agent({ keepAliveTimeout: 1000 });

  /** @param hosts URL of a local server, by `https://host` */
  constructor(hosts: Readonly<Record<string, string>>) {
    this.#hosts = new Map(Object.entries(hosts));
  }

  readonly transport: Asking['transport'] = (origins) => {
    return async ({ method, url, headers, body }, signal) => {
      const origin = this.#hosts.get(url.origin);
      if (origin === undefined || !origins.some((each) => each.origin === url.origin)) {
        this.strangers.push(url.origin);
        throw new Error(`getaddrinfo ENOTFOUND ${url.hostname}`);
      }
      return await exchange(this.#agent, {
        origin,
        method: method === 'POST' ? 'POST' : method === 'GET' ? 'GET' : 'PUT',
        path: `${url.pathname}${url.search}`,
        headers: { ...withoutLength(headers), host: url.host },
        body,
        deadline: seconds(2),
        signal,
        maxBytes: 1024 * 1024,
      });
    };
  };

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** undici counts by itself. */
function withoutLength(headers: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(headers);
  return Object.fromEntries(entries.filter(([name]) => name.toLowerCase() !== 'content-length'));
}
