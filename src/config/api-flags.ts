import type { Flag } from './flag.ts';

const group = 'Aggregated API:';

/** Flags of the aggregated API and its certificates; the names of the latter are those of part B 8.1. */
export const apiFlags = [
  {
    name: 'roles',
    takes: 'Value',
    placeholder: 'roles',
    group,
    description: 'What this process does, with commas between: controller, api',
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
  {
    name: 'webhook-cert-mode',
    takes: 'Value',
    placeholder: 'mode',
    group,
    description:
      'Where serving certificates come from. cert-manager: files that somebody else keeps; ' +
      'self-signed: an authority of our own, in a Secret that all replicas share',
    defaultText: 'cert-manager',
  },
  {
    name: 'webhook-cert-dir',
    takes: 'Value',
    placeholder: 'path',
    group,
    description: 'Directory with tls.crt, tls.key and ca.crt, in the mode cert-manager',
    defaultText: '/tmp/k8s-webhook-server/serving-certs',
  },
  {
    name: 'webhook-cert-validity',
    takes: 'Value',
    placeholder: 'duration',
    group,
    description: 'Lifetime of certificates in the mode self-signed; renewed when a third is left',
    defaultText: '8760h',
  },
  {
    name: 'webhook-service-namespace',
    takes: 'Value',
    placeholder: 'name',
    group,
    description: 'Namespace of the Services and of the Secret with certificates. Empty: our own',
    defaultText: '',
  },
] as const satisfies readonly Flag[];
