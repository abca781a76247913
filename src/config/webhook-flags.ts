import type { Flag } from './flag.ts';

const webhooks = 'Admission webhooks:';
const certificates = 'Serving certificates:';

/** Flags of the admission webhooks, and of the certificates that they share with the aggregated API. */
export const webhookFlags = [
  {
    name: 'enable-webhook',
    takes: 'Boolean',
    placeholder: 'boolean',
    group: webhooks,
    description: 'Serve the admission webhooks, in whatever role',
    defaultText: 'true',
  },
  {
    name: 'webhook-port',
    takes: 'Value',
    placeholder: 'port',
    group: webhooks,
    description: 'Where the webhooks are served',
    defaultText: '9443',
  },
  {
    name: 'webhook-service-name',
    takes: 'Value',
    placeholder: 'name',
    group: webhooks,
    description: 'Service through which the API server reaches the webhooks',
    defaultText: 'stageset-controller-webhook',
  },
  {
    name: 'webhook-validating-config-name',
    takes: 'Value',
    placeholder: 'name',
    group: webhooks,
    description:
      'ValidatingWebhookConfiguration whose caBundle the leader keeps. Needed in the mode self-signed',
    defaultText: '',
  },
  {
    name: 'webhook-mutating-config-name',
    takes: 'Value',
    placeholder: 'name',
    group: webhooks,
    description:
      'MutatingWebhookConfiguration whose caBundle the leader keeps. Empty: there is none',
    defaultText: '',
  },
  {
    name: 'controller-user',
    takes: 'Value',
    placeholder: 'user',
    group: webhooks,
    description:
      'User name of the controller, who alone writes StageRuns and StageInventories. Empty: the ' +
      'user that this process is',
    defaultText: '',
  },
  {
    name: 'webhook-cert-mode',
    takes: 'Value',
    placeholder: 'mode',
    group: certificates,
    description:
      'Where serving certificates come from. cert-manager: files that somebody else keeps; ' +
      'self-signed: an authority of our own, in a Secret that all replicas share',
    defaultText: 'cert-manager',
  },
  {
    name: 'webhook-cert-dir',
    takes: 'Value',
    placeholder: 'path',
    group: certificates,
    description: 'Directory with tls.crt, tls.key and ca.crt, in the mode cert-manager',
    defaultText: '/tmp/k8s-webhook-server/serving-certs',
  },
  {
    name: 'webhook-cert-validity',
    takes: 'Value',
    placeholder: 'duration',
    group: certificates,
    description: 'Lifetime of certificates in the mode self-signed; renewed when a third is left',
    defaultText: '8760h',
  },
  {
    name: 'webhook-service-namespace',
    takes: 'Value',
    placeholder: 'name',
    group: certificates,
    description: 'Namespace of the Services and of the Secret with certificates. Empty: our own',
    defaultText: '',
  },
] as const satisfies readonly Flag[];
