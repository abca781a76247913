import { minutes, seconds } from '../core/time.ts';
import { Alarm } from '../kubernetes/alarm.ts';
import { isConflict, isNotFound } from '../kubernetes/api-error.ts';
import { type BackoffPolicy, backoffDelay, type Random } from '../kubernetes/backoff.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector } from '../kubernetes/reflector.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Logger } from '../types/log.ts';
import type { CertificateSource } from '../types/serving-certificate.ts';
import { bundlePatch, isInjected } from './bundle-patch.ts';
import { referencesOf, type WebhookConfigurations } from './webhook-configurations.ts';

export interface CaBundlesOptions {
  client: KubernetesClient;
  configurations: WebhookConfigurations;
  certificates: Pick<CertificateSource, 'caBundle' | 'onRenewal'>;
  backoff?: BackoffPolicy;
  random?: Random;
  logger: Logger;
}

const callTimeout = seconds(30);
const longestWait = minutes(1);

/** While a bundle is wrong the API server refuses what the webhook guards: again soon. */
const writeBackoff: BackoffPolicy = { base: seconds(1), cap: seconds(30), jitter: 0.5 };

/**
 * Keeps the `caBundle` of every webhook in the named configurations equal to that of the
 * certificates, whoever overwrites it. A configuration that does not exist is passed over until it
 * does; one that cert-manager fills is left to it. Needs `list` and `watch` on the configurations by
 * name, and `patch`.
 */
export class CaBundles {
  readonly #options: CaBundlesOptions;
  readonly #reflectors: Reflector[];
  readonly #alarm = new Alarm();
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  #running: Promise<void> | undefined;
  #failure: unknown;

  constructor(options: CaBundlesOptions) {
    this.#options = options;
    this.#reflectors = referencesOf(options.configurations).map(
      ({ apiVersion, kind, name }) =>
        new Reflector(
          options.client,
          { apiVersion, kind, fieldSelector: `metadata.name=${name}` },
          {
            onEvent: () => this.#alarm.ring(),
            onTrouble: (trouble) => {
              if (trouble === undefined) return;
              options.logger.warn('cannot follow a webhook configuration', {
                kind,
                name,
                error: trouble.error,
              });
            },
          },
        ),
    );
    this.#unsubscribe = options.certificates.onRenewal(() => this.#alarm.ring());
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
    this.#running ??= this.#run();
  }

  /** What keeps a bundle from being written; undefined when all is well. */
  get trouble(): string | undefined {
    const errors = [this.#failure, ...this.#reflectors.map(({ trouble }) => trouble?.error)];
    const error = errors.find((each) => each !== undefined);
    if (error === undefined) return undefined;
    return error instanceof Error ? error.message : 'the cause is unknown';
  }

  /** The bundles stay as they are. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#stop.abort(new Error('The bundles are no longer kept'));
    await Promise.all([...this.#reflectors.map((each) => each.stop()), this.#running]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { backoff = writeBackoff, random = Math.random, logger } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#writeAll(signal);
        failures = 0;
        this.#failure = undefined;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        failures += 1;
        this.#failure = error;
        logger.warn('writing a caBundle failed', { error });
      }
      const wait = failures === 0 ? longestWait : backoffDelay(backoff, failures, random);
      await this.#alarm.wait(wait, signal);
    }
  }

  /** All of them, also when one cannot be written; throws the last failure then. */
  async #writeAll(signal: AbortSignal): Promise<void> {
    const bundle = this.#options.certificates.caBundle();
    // An empty bundle would make the API server refuse everything: the old one may be good still.
    if (bundle === '') return;
    const failures: unknown[] = [];
    for (const { store } of this.#reflectors) {
      for (const configuration of store.values()) {
        await this.#write(configuration, bundle, signal).catch((error: unknown) => {
          failures.push(error);
        });
      }
    }
    if (failures.length > 0) throw failures.at(-1);
  }

  async #write(
    configuration: KubernetesObject,
    bundle: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { client, logger } = this.#options;
    if (isInjected(configuration)) return;
    const body = bundlePatch(configuration, bundle);
    if (body === undefined) return;
    const { apiVersion, kind, metadata } = configuration;
    const { name } = metadata;
    const call = { signal, timeout: callTimeout };
    try {
      await client.patch({ apiVersion, kind, name }, { type: 'Json', body }, call);
      logger.info('wrote the caBundle', { kind, name });
    } catch (error) {
      // The watch brings what it has become, and rings for another look.
      if (!isConflict(error) && !isNotFound(error)) throw error;
    }
  }
}
