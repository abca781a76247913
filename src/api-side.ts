import { ApiRole } from './api-role.ts';
import type { Config } from './config/config.ts';
import type { RemoteAccess } from './controller/clusters.ts';
import type { GateReaders } from './controller/gate-answers.ts';
import type { Clock, Duration } from './core/time.ts';
import type { KubernetesClient } from './kubernetes/client.ts';
import { ApiRegistration } from './registration/api-registration.ts';
import type { Probe } from './registration/https-probe.ts';
import { serviceProbe } from './registration/service-probe.ts';
import type { Metrics } from './server/metrics.ts';
import { metricsApp } from './server/metrics-endpoint.ts';
import type { StageBuilder } from './stage-builder.ts';
import type { Logger } from './types/log.ts';
import type { CertificateSource } from './types/serving-certificate.ts';

export interface ApiSideOptions {
  readonly config: Config;
  readonly client: KubernetesClient;
  readonly builder: StageBuilder;
  readonly certificates: CertificateSource;
  readonly readers: GateReaders;
  readonly remote: RemoteAccess;
  readonly metrics: Metrics;
  /** Of the Services and certificates. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whether a process has anything to do with the aggregated API. */
export function servesApi({ roles, api }: Config): boolean {
  return roles.includes('api') || api.registration === 'Managed';
}

/** How long one question may take whether anybody still answers. */
const lastQuestion = 5000;

/** Everything of a process that has to do with the aggregated API: server and registration. */
export class ApiSide {
  /** Undefined where this process only registers what others serve. */
  readonly role: ApiRole | undefined;
  /** Undefined where somebody else keeps the APIService. The leader's to start. */
  readonly registration: ApiRegistration | undefined;
  readonly #options: ApiSideOptions;
  readonly #probe: Probe;

  constructor(options: ApiSideOptions) {
    const { client, config, logger, metrics, namespace } = options;
    this.#options = options;
    const { serviceName: name, servicePort: port } = config.api;
    this.#probe = serviceProbe(client, { namespace, name, port });
    this.registration = config.api.registration === 'Managed' ? this.#register() : undefined;
    this.role = config.roles.includes('api')
      ? new ApiRole({
          ...options,
          metrics: metricsApp(metrics.registry),
          logger: logger.child('api'),
        })
      : undefined;
  }

  start(): void {
    this.role?.start();
  }

  /** Ends serving; the APIService goes with the last one that served. */
  async stop(grace: Duration): Promise<void> {
    await this.role?.stop(this.#options.config.api.shutdownDelay, grace);
    if (this.role !== undefined && this.registration !== undefined)
      await this.#withdrawUnanswered();
  }

  /** An APIService that leads nowhere holds up the deletion of every namespace. */
  async #withdrawUnanswered(): Promise<void> {
    const signal = AbortSignal.timeout(lastQuestion);
    const unanswered = await this.#probe(this.#options.certificates.caBundle(), signal);
    if (unanswered !== undefined) await this.#register().stop('ApiEnds');
  }

  #register(): ApiRegistration {
    const { certificates, client, clock, config, logger, namespace } = this.#options;
    const { serviceName: name, servicePort: port } = config.api;
    return new ApiRegistration({
      client,
      service: { namespace, name, port },
      certificates,
      probe: this.#probe,
      clock,
      logger: logger.child('registration'),
    });
  }
}
