import { MountedCertificates } from './certs/mounted.ts';
import { isPublished } from './certs/published.ts';
import { SelfSignedCertificates } from './certs/self-signed.ts';
import type { WebhookConfigurations } from './certs/webhook-configurations.ts';
import type { Config } from './config/config.ts';
import type { WebhookConfig } from './config/webhook-config.ts';
import type { Clock } from './core/time.ts';
import type { KubernetesClient } from './kubernetes/client.ts';
import { onAbort } from './kubernetes/wait.ts';
import { apiServiceReference } from './registration/api-service.ts';
import type { Logger } from './types/log.ts';
import type { CertificateSource } from './types/serving-certificate.ts';

export interface CertificateOptions {
  readonly config: Pick<Config, 'api' | 'certificates' | 'webhook'>;
  readonly client: KubernetesClient;
  /** Of the Services and the Secret. */
  readonly namespace: string;
  /** Told of every renewal that failed. */
  readonly onFailure: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The serving certificates, as the flags want them, and kept current from now on. */
export function openCertificates({
  config: { api, certificates, webhook },
  client,
  namespace,
  onFailure,
  clock,
  logger,
}: CertificateOptions): CertificateSource {
  if (certificates.mode === 'Mounted') {
    const { directory } = certificates;
    const source = new MountedCertificates({ directory, clock, logger, onFailure });
    source.start();
    return source;
  }
  const holders = {
    webhooks: configurationsOf(webhook),
    apiServices: [apiServiceReference.name],
  };
  const services = [api.serviceName, ...(webhook === undefined ? [] : [webhook.serviceName])];
  const hosts = services.map((name) => `${name}.${namespace}.svc`);
  const source = new SelfSignedCertificates({
    client,
    namespace,
    dnsNames: hosts.flatMap((host) => [host, `${host}.cluster.local`]),
    validFor: certificates.validFor,
    isPublished: async (bundle, signal) => await isPublished(client, holders, bundle, { signal }),
    clock,
    logger,
    onFailure,
  });
  source.start();
  return source;
}

/** The webhook configurations whose bundles are ours to keep. */
export function configurationsOf(webhook: WebhookConfig | undefined): WebhookConfigurations {
  const named = (name: string | undefined): string[] => (name === undefined ? [] : [name]);
  return {
    validating: named(webhook?.validatingConfigurationName),
    mutating: named(webhook?.mutatingConfigurationName),
  };
}

/** Waits until there is a certificate to serve with; rejects with the signal's reason. */
export async function untilServable(source: CertificateSource, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const settle = (end: () => void): void => {
      stopListening();
      stopAbort();
      end();
    };
    const look = (): void => {
      try {
        source.current();
      } catch {
        return;
      }
      settle(resolve);
    };
    const stopListening = source.onRenewal(look);
    const stopAbort = onAbort(signal, () =>
      settle(() => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'))),
    );
    look();
  });
}
