import type { RequestListener } from 'node:http';
import { CaBundles } from './certs/ca-bundles.ts';
import type { Config } from './config/config.ts';
import type { WebhookConfig } from './config/webhook-config.ts';
import { TerminalError } from './core/errors.ts';
import { type Clock, type Duration, seconds } from './core/time.ts';
import { backoffDelay, REFLECTOR_BACKOFF } from './kubernetes/backoff.ts';
import type { KubernetesClient } from './kubernetes/client.ts';
import { InFlightLimit } from './kubernetes/in-flight-limit.ts';
import { whoAmI } from './kubernetes/self-subject.ts';
import { pause } from './kubernetes/wait.ts';
import { admissionApp } from './server/admission/app.ts';
import { configurationsOf } from './serving-certificates.ts';
import { TlsService } from './tls-service.ts';
import type { Logger } from './types/log.ts';
import type { CertificateSource } from './types/serving-certificate.ts';

export interface WebhookSideOptions {
  readonly config: Config;
  readonly webhook: WebhookConfig;
  readonly certificates: CertificateSource;
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

const namespaceTimeout = seconds(3);
/** Of reviews, for the annotations of namespaces. */
const mostRequests = 8;

/** Everything of a process that has to do with admission: the webhooks' server and their bundles. */
export class WebhookSide {
  readonly #options: WebhookSideOptions;
  readonly #service: TlsService;

  constructor(options: WebhookSideOptions) {
    this.#options = options;
    const { certificates, logger, webhook } = options;
    this.#service = new TlsService({
      purpose: { name: 'admission webhooks', flag: '--webhook-port' },
      address: { port: webhook.port },
      certificates,
      logger,
    });
  }

  start(): void {
    this.#service.start(async (signal) => await this.#app(signal));
  }

  /** Why the webhooks get no requests; undefined when they serve. */
  notReady(): string | undefined {
    return this.#service.notReady();
  }

  /** Goes on answering for the delay, while it says that it is no longer ready, and ends then. */
  async stop(delay: Duration, grace: Duration): Promise<void> {
    await this.#service.stop(delay, grace);
  }

  /** Keeps the bundles of the webhook configurations, one at a time; undefined where others do. */
  bundles(): CaBundles | undefined {
    const { certificates, client, config, logger, webhook } = this.#options;
    if (config.certificates.mode === 'Mounted') return undefined;
    const configurations = configurationsOf(webhook);
    return new CaBundles({ client, configurations, certificates, logger });
  }

  async #app(signal: AbortSignal): Promise<RequestListener> {
    const { clock, config, logger, webhook } = this.#options;
    // A review must not queue behind what the controller does at the moment.
    const client = this.#options.client.withLimit(new InFlightLimit(mostRequests));
    const user = webhook.controllerUser ?? (await this.#untilKnown(signal));
    const { crossNamespaceReferences, defaultServiceAccount } = config;
    logger.info('who writes StageRuns and StageInventories', { user });
    return admissionApp({
      settings: { controllerUsers: [user], defaultServiceAccount, crossNamespaceReferences },
      namespaceAnnotations: async (name, review) => {
        const reference = { apiVersion: 'v1', kind: 'Namespace', name };
        const call = { signal: review, timeout: namespaceTimeout };
        return (await client.get(reference, call)).metadata.annotations ?? {};
      },
      clock,
      logger,
    });
  }

  /** The user that this process is, however long the API server takes to say so. */
  async #untilKnown(signal: AbortSignal): Promise<string> {
    const { client, logger } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        return await whoAmI(client, signal);
      } catch (error) {
        if (error instanceof TerminalError || signal.aborted) throw error;
        logger.warn('asking who this process is failed', { error });
      }
      await pause(backoffDelay(REFLECTOR_BACKOFF, failures, Math.random), signal);
    }
  }
}
