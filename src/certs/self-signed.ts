import {
  between,
  type Clock,
  type Duration,
  type Instant,
  milliseconds,
  minutes,
  seconds,
} from '../core/time.ts';
import { Alarm } from '../kubernetes/alarm.ts';
import { isAlreadyExists, isConflict } from '../kubernetes/api-error.ts';
import { type BackoffPolicy, backoffDelay, type Random } from '../kubernetes/backoff.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector } from '../kubernetes/reflector.ts';
import { untilAborted } from '../kubernetes/wait.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Logger } from '../types/log.ts';
import type { CertificateSource, ServingCertificate } from '../types/serving-certificate.ts';
import { OfferedCertificate } from './offered-certificate.ts';
import { decideRotation, defaultTerms, type RotationTerms } from './rotation.ts';
import { type ChangingStep, carryOut } from './rotation-steps.ts';
import {
  readStored,
  rotationStateOf,
  type StoredCertificates,
  servedBy,
  storedIn,
  trustedBy,
} from './stored-certificates.ts';

/** The Secret that replicas share, unless another one is named. */
export const servingSecretName = 'stageset-controller-serving-cert';

export interface SelfSignedOptions {
  client: KubernetesClient;
  /** Where the Secret is: the controller's own namespace. */
  namespace: string;
  secretName?: string;
  /** Names by which callers reach the servers, such as `<service>.<namespace>.svc`. */
  dnsNames: readonly string[];
  /** Life of authorities and certificates; renewed when a third of it is left. Default 1 year. */
  validFor?: Duration;
  terms?: RotationTerms;
  /**
   * Whether everybody who verifies has this bundle. A new authority serves only once they have, or
   * when the old one has ended. Default: the overlap alone decides.
   */
  isPublished?: (bundle: string, signal: AbortSignal) => Promise<boolean>;
  /** Longest time between two looks at clock and Secret. Default 1 min. */
  lookEvery?: Duration;
  backoff?: BackoffPolicy;
  random?: Random;
  clock: Clock;
  logger: Logger;
  /** Told of every failed attempt, for a counter. */
  onFailure?: (error: unknown) => void;
}

const year = minutes(365 * 24 * 60);
const callTimeout = seconds(30);

/** Failed attempts: soon again, and never later than five minutes after. */
const renewalBackoff: BackoffPolicy = { base: seconds(1), cap: minutes(5), jitter: 0.5 };

/**
 * A certificate by an authority of our own, both in one Secret that all replicas follow. Whoever is
 * first takes a step, by optimistic locking, and the others adopt what is stored: there is no leader.
 * Deleting the Secret makes a new authority at once, which callers trust a moment later: that is for
 * a key that leaked.
 */
export class SelfSignedCertificates implements CertificateSource {
  readonly #options: SelfSignedOptions;
  readonly #secret: { namespace: string; name: string };
  readonly #reflector: Reflector;
  readonly #alarm = new Alarm();
  readonly #stop = new AbortController();
  readonly #offered: OfferedCertificate;
  #running: Promise<void> | undefined;
  #failure: unknown;

  constructor(options: SelfSignedOptions) {
    this.#options = options;
    const { client, namespace, secretName: name = servingSecretName, clock, logger } = options;
    this.#secret = { namespace, name };
    const awaiting = `Secret ${namespace}/${name} was not read yet`;
    this.#offered = new OfferedCertificate({ clock, logger, awaiting });
    this.#reflector = new Reflector(
      client,
      { apiVersion: 'v1', kind: 'Secret', namespace, fieldSelector: `metadata.name=${name}` },
      {
        onEvent: () => this.#alarm.ring(),
        onTrouble: (trouble) => {
          if (trouble === undefined) return;
          logger.warn('cannot follow the serving certificate', {
            ...this.#secret,
            error: trouble.error,
          });
        },
        now: clock,
      },
    );
  }

  /** Begins to follow the Secret; a certificate is there once `ready` says so. */
  start(): void {
    this.#reflector.start();
    this.#running ??= this.#run();
  }

  current(): ServingCertificate {
    return this.#offered.current();
  }

  caBundle(): string {
    return this.#offered.caBundle();
  }

  onRenewal(listener: (renewed: ServingCertificate) => void): () => void {
    return this.#offered.onRenewal(listener);
  }

  ready(): string | undefined {
    return this.#offered.ready(this.trouble);
  }

  /** What keeps it from following or renewing, while what is served may still be good. */
  get trouble(): string | undefined {
    const error = this.#failure ?? this.#reflector.trouble?.error;
    if (error === undefined) return undefined;
    const message = error instanceof Error ? error.message : 'the cause is unknown';
    return `Secret ${this.#secret.namespace}/${this.#secret.name}: ${message}`;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('The serving certificate is no longer needed'));
    await Promise.all([this.#reflector.stop(), this.#running]);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { backoff = renewalBackoff, random = Math.random } = this.#options;
    await this.#reflector.synced(signal).catch(() => undefined);
    let failures = 0;
    while (!signal.aborted) {
      let wait: Duration;
      try {
        wait = await this.#look(signal);
        failures = 0;
        this.#failure = undefined;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        failures += 1;
        this.#failed(error);
        wait = backoffDelay(backoff, failures, random);
      }
      await this.#alarm.wait(wait, signal);
    }
  }

  /** Adopts what is stored, takes at most one step, and returns how long nothing is due. */
  async #look(signal: AbortSignal): Promise<Duration> {
    const { clock, dnsNames, terms = defaultTerms } = this.#options;
    const secret = this.#reflector.store.get(this.#secret.namespace, this.#secret.name);
    const stored = secret === undefined ? undefined : readStored(secret);
    if (stored !== undefined) this.#offered.take(servedBy(stored), trustedBy(stored));
    const step = decideRotation(rotationStateOf(stored, dnsNames), clock(), terms);
    if (step.kind === 'Wait') return this.#until(step.until);
    if (step.kind === 'Activate' && step.when === 'OnceSeen') {
      if (!(await this.#isSeen(stored, signal))) return this.#longest();
    }
    await this.#take(step, secret, stored, signal);
    return this.#longest();
  }

  async #isSeen(stored: StoredCertificates | undefined, signal: AbortSignal): Promise<boolean> {
    const { isPublished, logger } = this.#options;
    if (stored === undefined || isPublished === undefined) return true;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(callTimeout)]);
    if (await untilAborted(isPublished(trustedBy(stored), deadline), deadline)) return true;
    logger.info('the new authority waits until every caBundle has it', this.#secret);
    return false;
  }

  /** Carries the step out and stores its outcome, unless another replica was faster. */
  async #take(
    step: ChangingStep,
    secret: KubernetesObject | undefined,
    stored: StoredCertificates | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { dnsNames, validFor = year, clock, logger } = this.#options;
    const outcome = await carryOut(step, stored, { dnsNames, validFor, clock });
    if (signal.aborted) return;
    if (await this.#write(secret, outcome, signal)) {
      logger.info('changed the stored serving certificates', { ...this.#secret, step: step.kind });
    }
    // Either way the watch brings what is stored now, and rings for another look. Nothing is adopted
    // by any other way, so that an older state can never come after a newer one.
  }

  /** @returns false when the Secret has changed meanwhile */
  async #write(
    secret: KubernetesObject | undefined,
    outcome: StoredCertificates,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { client } = this.#options;
    const call = { signal, timeout: callTimeout };
    const { annotations, data } = storedIn(outcome);
    try {
      if (secret === undefined) {
        await client.create(newSecret(this.#secret, annotations, data), {}, call);
      } else {
        const { metadata } = secret;
        const marked = { ...metadata, annotations: { ...metadata.annotations, ...annotations } };
        await client.replace({ ...secret, metadata: marked, data }, {}, call);
      }
      return true;
    } catch (error) {
      if (isAlreadyExists(error) || isConflict(error)) return false;
      throw error;
    }
  }

  #failed(error: unknown): void {
    const { logger, onFailure } = this.#options;
    this.#failure = error;
    logger.warn('renewing the serving certificate failed', { ...this.#secret, error });
    onFailure?.(error);
  }

  #until(at: Instant): Duration {
    const due = Math.max(0, between(this.#options.clock(), at));
    return milliseconds(Math.min(due, this.#longest()));
  }

  /** At random a little longer, so that replicas do not all make keys for the same step. */
  #longest(): Duration {
    const { lookEvery = minutes(1), random = Math.random } = this.#options;
    return milliseconds(lookEvery * (1 + 0.5 * random()));
  }
}

function newSecret(
  { namespace, name }: { namespace: string; name: string },
  annotations: Record<string, string>,
  data: Record<string, string>,
): KubernetesObject {
  const labels = { 'app.kubernetes.io/managed-by': 'stageset-controller' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, labels, annotations },
    type: 'kubernetes.io/tls',
    data,
  };
}
