import type { Duration } from '../core/time.ts';
import type { ListenAddress } from '../types/listen-address.ts';
import { readListenAddress } from './addresses.ts';
import type { apiFlags } from './api-flags.ts';
import { readNamespace } from './namespaces.ts';
import {
  asBoolean,
  type GivenValue,
  readChoices,
  readCount,
  readDuration,
  readPath,
  readPositiveDuration,
  refuse,
} from './values.ts';

/** What a process does. */
export type Role = 'controller' | 'api';

/** How the aggregated API is served and found. */
export interface ApiConfig {
  readonly bindAddress: ListenAddress;
  readonly shutdownDelay: Duration;
  readonly serviceName: string;
  readonly servicePort: number;
  /** Whether the leader keeps the APIService. */
  readonly registration: 'Managed' | 'Left';
}

/** Where serving certificates come from. */
export interface CertificateConfig {
  readonly mode: 'Mounted' | 'SelfSigned';
  readonly directory: string;
  readonly validFor: Duration;
  /** Of the Services and the Secret; undefined takes the process's own. */
  readonly namespace: string | undefined;
}

type Given = (name: (typeof apiFlags)[number]['name']) => GivenValue;

export function readRoles(given: Given): readonly Role[] {
  return readChoices(given('roles'), ['controller', 'api']);
}

export function readApi(given: Given, roles: readonly Role[]): ApiConfig {
  return {
    bindAddress: Object.freeze(readListenAddress(given('api-bind-address'))),
    shutdownDelay: readDuration(given('api-shutdown-delay')),
    serviceName: readNamespace(given('api-service-name')),
    servicePort: readPort(given('api-service-port')),
    registration: readRegistration(given('manage-apiservice'), roles),
  };
}

export function readCertificates(given: Given): CertificateConfig {
  const namespace = given('webhook-service-namespace');
  return {
    mode: readMode(given('webhook-cert-mode')),
    directory: readPath(given('webhook-cert-dir')) ?? '',
    validFor: readPositiveDuration(given('webhook-cert-validity')),
    namespace: namespace.text === '' ? undefined : readNamespace(namespace),
  };
}

function readMode(given: GivenValue): CertificateConfig['mode'] {
  if (given.text === 'cert-manager') return 'Mounted';
  if (given.text === 'self-signed') return 'SelfSigned';
  throw refuse(given, 'one of cert-manager, self-signed');
}

function readPort(given: GivenValue): number {
  const port = readCount(given);
  if (port > 65_535) throw refuse(given, 'a port from 1 to 65535');
  return port;
}

function readRegistration(given: GivenValue, roles: readonly Role[]): ApiConfig['registration'] {
  const asked = given.text === 'auto' ? roles.includes('api') : asBoolean(given.text);
  if (asked === undefined) throw refuse(given, 'true, false or auto');
  return asked ? 'Managed' : 'Left';
}
