import type { X509Certificate } from 'node:crypto';
import { isJsonObject } from '../../core/validate/json-object.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { Reflector } from '../../kubernetes/reflector.ts';
import type { KubernetesObject } from '../../types/kubernetes.ts';
import type { Logger } from '../../types/log.ts';
import { parseBundle } from './client-certificate.ts';
import type { RequestHeaderNames } from './request-header.ts';

/** Whom an aggregated server trusts, as the cluster says. */
export interface AuthenticationConfig {
  /** Authorities of `client-ca-file`; empty when certificates of clients count for nothing. */
  readonly clientAuthorities: readonly X509Certificate[];
  /** Undefined when there is no front proxy. */
  readonly requestHeader: RequestHeaderConfig | undefined;
}

export interface RequestHeaderConfig {
  readonly authorities: readonly X509Certificate[];
  /** Common names that a proxy may have; empty for any. */
  readonly allowedNames: readonly string[];
  readonly names: RequestHeaderNames;
}

/** Nobody is trusted. */
export const trustNobody: AuthenticationConfig = {
  clientAuthorities: [],
  requestHeader: undefined,
};

/** Where the configuration comes from; undefined while it has not been read yet. */
export interface AuthenticationConfigSource {
  current(): AuthenticationConfig | undefined;
}

const reference = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  namespace: 'kube-system',
  name: 'extension-apiserver-authentication',
} as const;

/**
 * Follows ConfigMap kube-system/extension-apiserver-authentication, which kube-apiserver keeps; the
 * Role `extension-apiserver-authentication-reader` grants it. A change that cannot be read leaves
 * what was before; without the ConfigMap nobody is trusted.
 */
export class ClusterAuthentication implements AuthenticationConfigSource {
  readonly #reflector: Reflector;
  readonly #logger: Logger;
  #config: AuthenticationConfig | undefined;

  constructor(client: KubernetesClient, logger: Logger) {
    this.#logger = logger;
    const { apiVersion, kind, namespace, name } = reference;
    const query = { apiVersion, kind, namespace, fieldSelector: `metadata.name=${name}` };
    this.#reflector = new Reflector(client, query, {
      onEvent: (event) => {
        switch (event.type) {
          case 'Added':
          case 'Modified':
            this.#take(event.object);
            break;
          case 'Deleted':
            this.#config = trustNobody;
            break;
          case 'Synced':
            this.#config ??= trustNobody;
            break;
        }
      },
    });
  }

  start(): void {
    this.#reflector.start();
  }

  async stop(): Promise<void> {
    await this.#reflector.stop();
  }

  current(): AuthenticationConfig | undefined {
    return this.#config;
  }

  /** Resolves when the configuration has been read; rejects when `signal` fires first. */
  async synced(signal: AbortSignal): Promise<void> {
    await this.#reflector.synced(signal);
  }

  /** For readiness: why nobody can be authenticated; undefined when all is well. */
  trouble(): string | undefined {
    if (this.#config !== undefined) return undefined;
    const why = this.#reflector.trouble?.kind;
    const hint =
      why === 'Forbidden'
        ? '; bind Role kube-system/extension-apiserver-authentication-reader'
        : '';
    return `ConfigMap ${reference.namespace}/${reference.name} has not been read yet${hint}`;
  }

  #take(object: KubernetesObject): void {
    try {
      this.#config = parseAuthenticationConfig(object['data']);
    } catch (error) {
      const { namespace, name } = reference;
      this.#logger.error(`ConfigMap ${namespace}/${name} cannot be read; the one before counts`, {
        error,
      });
    }
  }
}

/**
 * @param data `data` of the ConfigMap: PEM, and JSON lists as text
 * @throws Error that names the key
 */
export function parseAuthenticationConfig(data: unknown): AuthenticationConfig {
  const values = isJsonObject(data) ? data : {};
  const clientCa = text(values, 'client-ca-file');
  const proxyCa = text(values, 'requestheader-client-ca-file');
  return {
    clientAuthorities: clientCa === '' ? [] : bundle(clientCa, 'client-ca-file'),
    requestHeader:
      proxyCa === ''
        ? undefined
        : {
            authorities: bundle(proxyCa, 'requestheader-client-ca-file'),
            allowedNames: list(values, 'requestheader-allowed-names'),
            names: {
              user: lowerCase(list(values, 'requestheader-username-headers')),
              uid: lowerCase(list(values, 'requestheader-uid-headers')),
              group: lowerCase(list(values, 'requestheader-group-headers')),
              extraPrefixes: lowerCase(list(values, 'requestheader-extra-headers-prefix')),
            },
          },
  };
}

function text(values: Readonly<Record<string, unknown>>, key: string): string {
  const value = values[key] ?? '';
  if (typeof value !== 'string') throw new Error(`${key} must be text`);
  return value.trim() === '' ? '' : value;
}

function bundle(pem: string, key: string): X509Certificate[] {
  try {
    return parseBundle(pem);
  } catch (cause) {
    throw new Error(`${key} must be PEM certificates`, { cause });
  }
}

function list(values: Readonly<Record<string, unknown>>, key: string): string[] {
  const value = text(values, key);
  if (value === '') return [];
  const items: unknown = JSON.parse(value);
  if (!Array.isArray(items) || !items.every((item) => typeof item === 'string')) {
    throw new Error(`${key} must be a JSON list of texts`);
  }
  // An empty prefix would make every header an identity.
  return items.filter((item) => item !== '');
}

function lowerCase(names: readonly string[]): string[] {
  return names.map((name) => name.toLowerCase());
}
