import type { Duration } from '../core/time.ts';
import type { Role } from './api-config.ts';
import { readNamespace, readOptionalName, readServiceName } from './names.ts';
import { UsageError } from './usage-error.ts';
import {
  type GivenValue,
  readBoolean,
  readPath,
  readPort,
  readPositiveDuration,
  refuse,
} from './values.ts';
import type { webhookFlags } from './webhook-flags.ts';

/** How the admission webhooks are served and found. */
export interface WebhookConfig {
  readonly port: number;
  readonly serviceName: string;
  /** Of the ValidatingWebhookConfiguration; undefined where somebody else keeps its bundle. */
  readonly validatingConfigurationName: string | undefined;
  /** Of the MutatingWebhookConfiguration. */
  readonly mutatingConfigurationName: string | undefined;
  /** Undefined takes the user that this process is. */
  readonly controllerUser: string | undefined;
}

/** Where serving certificates come from. */
export interface CertificateConfig {
  readonly mode: 'Mounted' | 'SelfSigned';
  readonly directory: string;
  readonly validFor: Duration;
  /** Of the Services and the Secret; undefined takes the process's own. */
  readonly namespace: string | undefined;
}

type Given = (name: (typeof webhookFlags)[number]['name']) => GivenValue;

/**
 * Undefined where this process serves no webhooks.
 * @throws UsageError also where flags contradict each other (part B 11.4).
 */
export function readWebhook(
  given: Given,
  roles: readonly Role[],
  mode: CertificateConfig['mode'],
): WebhookConfig | undefined {
  if (!readBoolean(given('enable-webhook'))) {
    if (!roles.includes('webhook')) return undefined;
    throw new UsageError(
      '--roles has webhook and --enable-webhook is false; leave one of them out',
    );
  }
  const validating = readOptionalName(given('webhook-validating-config-name'));
  if (validating === undefined && mode === 'SelfSigned') {
    throw new UsageError(
      '--webhook-cert-mode=self-signed needs --webhook-validating-config-name, to write the ' +
        'caBundle there; or give --enable-webhook=false',
    );
  }
  const user = given('controller-user').text.trim();
  return {
    port: readPort(given('webhook-port')),
    serviceName: readServiceName(given('webhook-service-name')),
    validatingConfigurationName: validating,
    mutatingConfigurationName: readOptionalName(given('webhook-mutating-config-name')),
    controllerUser: user === '' ? undefined : user,
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
