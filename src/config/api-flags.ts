import type { Flag } from './flag.ts';

const group = 'Aggregated API:';

/** Flags of the aggregated API. */
export const apiFlags = [
  {
    name: 'roles',
    takes: 'Value',
    placeholder: 'roles',
    group,
    description: 'What this process does, with commas between: controller, api, webhook',
    defaultText: 'controller',
  },
  {
    name: 'api-bind-address',
    takes: 'Value',
    placeholder: 'address',
    group,
    description: 'Where the aggregated API is served, as host:port or :port',
    defaultText: ':8443',
  },
  {
    name: 'api-shutdown-delay',
    takes: 'Value',
    placeholder: 'duration',
    group,
    description: 'How long the API goes on answering after it says that it is no longer ready',
    defaultText: '10s',
  },
  {
    name: 'api-service-name',
    takes: 'Value',
    placeholder: 'name',
    group,
    description: 'Service through which the API server reaches the aggregated API',
    defaultText: 'stageset-controller-api',
  },
  {
    name: 'api-service-port',
    takes: 'Value',
    placeholder: 'port',
    group,
    description: 'Port of that Service',
    defaultText: '443',
  },
  {
    name: 'manage-apiservice',
    takes: 'Value',
    placeholder: 'when',
    group,
    description:
      'Whether the leader registers the APIService while the API answers, and withdraws it when it ' +
      'does not: true, false, or auto, which is true where roles has api',
    defaultText: 'auto',
  },
] as const satisfies readonly Flag[];
