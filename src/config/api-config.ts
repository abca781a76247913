import type { Duration } from '../core/time.ts';
import type { ListenAddress } from '../types/listen-address.ts';
import { readListenAddress } from './addresses.ts';
import type { apiFlags } from './api-flags.ts';
import { readServiceName } from './names.ts';
import {
  asBoolean,
  type GivenValue,
  readChoices,
  readDuration,
  readPort,
  refuse,
} from './values.ts';

/** What a process does. */
export type Role = 'controller' | 'api' | 'webhook';

/** How the aggregated API is served and found. */
export interface ApiConfig {
  readonly bindAddress: ListenAddress;
  readonly shutdownDelay: Duration;
  readonly serviceName: string;
  readonly servicePort: number;
  /** Whether the leader keeps the APIService. */
  readonly registration: 'Managed' | 'Left';
}

type Given = (name: (typeof apiFlags)[number]['name']) => GivenValue;

export function readRoles(given: Given): readonly Role[] {
  return readChoices(given('roles'), ['controller', 'api', 'webhook']);
}

export function readApi(given: Given, roles: readonly Role[]): ApiConfig {
  return {
    bindAddress: Object.freeze(readListenAddress(given('api-bind-address'))),
    shutdownDelay: readDuration(given('api-shutdown-delay')),
    serviceName: readServiceName(given('api-service-name')),
    servicePort: readPort(given('api-service-port')),
    registration: readRegistration(given('manage-apiservice'), roles),
  };
}

function readRegistration(given: GivenValue, roles: readonly Role[]): ApiConfig['registration'] {
  const asked = given.text === 'auto' ? roles.includes('api') : asBoolean(given.text);
  if (asked === undefined) throw refuse(given, 'true, false or auto');
  return asked ? 'Managed' : 'Left';
}
