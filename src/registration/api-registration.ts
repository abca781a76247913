import { type Clock, type Instant, seconds } from '../core/time.ts';
import { Alarm } from '../kubernetes/alarm.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Logger } from '../types/log.ts';
import type { CertificateSource } from '../types/serving-certificate.ts';
import {
  type ApiServiceTarget,
  apiServiceFor,
  apiServicePatch,
  apiServiceReference,
  compareApiService,
} from './api-service.ts';
import {
  type Comparison,
  decideRegistration,
  defaultRegistrationTerms,
  nextProbeIn,
  type ProbeRecord,
  type RegistrationStep,
  type RegistrationTerms,
} from './decide-registration.ts';
import { httpsProbe, type Probe } from './https-probe.ts';

export interface ApiRegistrationOptions {
  client: KubernetesClient;
  service: ApiServiceTarget;
  certificates: Pick<CertificateSource, 'caBundle' | 'onRenewal' | 'ready'>;
  /** Default: `httpsProbe` of the Service. */
  probe?: Probe;
  terms?: RegistrationTerms;
  clock: Clock;
  logger: Logger;
}

/** `ApiEnds`: the API is gone for good. `LeadershipEnds`: another replica takes this over. */
export type RegistrationEnd = 'ApiEnds' | 'LeadershipEnds';

const callTimeout = seconds(10);

/** Attempts to withdraw at the end; each reads the APIService anew. */
const withdrawals = 5;

/**
 * Owns the APIService of our group, so that it is there exactly while somebody answers: one that
 * leads nowhere holds up the deletion of every namespace in the cluster. One at a time may run, on
 * the leader. Needs `get`, `create`, `patch` and `delete` on the APIService.
 */
export class ApiRegistration {
  readonly #options: ApiRegistrationOptions;
  readonly #probe: Probe;
  readonly #terms: RegistrationTerms;
  readonly #alarm = new Alarm();
  readonly #stop = new AbortController();
  readonly #unsubscribe: () => void;
  #running: Promise<void> | undefined;
  #askingSince: Instant | undefined;
  #lastAnswerAt: Instant | undefined;
  #unanswered: string | undefined;
  #trouble: string | undefined;

  constructor(options: ApiRegistrationOptions) {
    this.#options = options;
    const { namespace, name, port } = options.service;
    this.#probe = options.probe ?? httpsProbe({ host: `${name}.${namespace}.svc`, port });
    this.#terms = options.terms ?? defaultRegistrationTerms;
    this.#unsubscribe = options.certificates.onRenewal(() => this.#alarm.ring());
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Why the API is not registered as it should be; undefined when all is well. */
  get trouble(): string | undefined {
    return this.#trouble ?? this.#unanswered;
  }

  /** Ends the probing; withdraws the APIService when the API itself ends. */
  async stop(end: RegistrationEnd): Promise<void> {
    this.#unsubscribe();
    this.#stop.abort(new Error('The registration is no longer kept'));
    await this.#running;
    if (end === 'LeadershipEnds') return;
    try {
      await this.#withdrawForGood({ signal: AbortSignal.timeout(callTimeout) });
    } catch (error) {
      this.#options.logger.error('the APIService was not withdrawn: delete it by hand', {
        ...apiServiceReference,
        error,
      });
    }
  }

  /** Again after a conflict: kube-apiserver writes the status of an APIService that it cannot reach. */
  async #withdrawForGood(call: CallOptions): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const found = await this.#options.client.find(apiServiceReference, call);
      if (found === undefined || this.#compare(found) === 'Foreign') return;
      try {
        await this.#withdraw(found, call);
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === withdrawals) throw error;
      }
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const answered = await this.#ask(signal);
      if (this.#stop.signal.aborted) return;
      const probes = this.#record(answered);
      await this.#follow(probes, signal);
      await this.#alarm.wait(nextProbeIn(probes, this.#options.clock(), this.#terms), signal);
    }
  }

  async #ask(signal: AbortSignal): Promise<boolean> {
    const { certificates, clock, logger } = this.#options;
    this.#askingSince ??= clock();
    const unanswered = await this.#probe(certificates.caBundle(), signal);
    if (signal.aborted) return false;
    if (unanswered === undefined) {
      this.#lastAnswerAt = clock();
      if (this.#unanswered !== undefined) logger.info('an API replica answers again');
    } else if (this.#unanswered === undefined) {
      logger.warn('no API replica answers', { reason: unanswered });
    }
    this.#unanswered = unanswered;
    return unanswered === undefined;
  }

  #record(answered: boolean): ProbeRecord {
    const askingSince = this.#askingSince ?? this.#options.clock();
    return { askingSince, answered, lastAnswerAt: this.#lastAnswerAt };
  }

  /** Looks at the APIService and does what is to be done about it; failures are for the next time. */
  async #follow(probes: ProbeRecord, signal: AbortSignal): Promise<void> {
    const { client, clock, logger } = this.#options;
    const call = { signal, timeout: callTimeout };
    try {
      const found = await client.find(apiServiceReference, call);
      const apiService = this.#compare(found);
      this.#trouble = apiService === 'Foreign' ? foreign : undefined;
      const step = decideRegistration(probes, apiService, clock(), this.#terms);
      await this.#take(step, found, call);
    } catch (error) {
      // Somebody else was faster, or it ends: the next look sees what has become of it.
      if (signal.aborted || isAlreadyExists(error) || isConflict(error) || isNotFound(error))
        return;
      const message = error instanceof Error ? error.message : 'the cause is unknown';
      if (message !== this.#trouble) logger.warn('keeping the APIService failed', { error });
      this.#trouble = message;
    }
  }

  async #take(
    step: RegistrationStep,
    found: KubernetesObject | undefined,
    call: CallOptions,
  ): Promise<void> {
    const { client, service, certificates, logger } = this.#options;
    const caBundle = certificates.caBundle();
    switch (step) {
      case 'Leave':
        return;
      case 'Register':
        await client.create(apiServiceFor(service, caBundle), {}, call);
        logger.info('registered the APIService', apiServiceReference);
        return;
      case 'Update': {
        const body = apiServicePatch(service, caBundle);
        await client.patch(apiServiceReference, { type: 'Merge', body }, call);
        logger.info('updated the APIService', apiServiceReference);
        return;
      }
      case 'Withdraw':
        if (found !== undefined) await this.#withdraw(found, call);
    }
  }

  async #withdraw({ metadata }: KubernetesObject, call: CallOptions): Promise<void> {
    const { client, logger } = this.#options;
    const { uid, resourceVersion } = metadata;
    const preconditions = {
      ...(uid === undefined ? {} : { uid }),
      // Whoever took the label off meanwhile must find it where it was.
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    };
    await client.delete(apiServiceReference, { preconditions }, call);
    logger.warn('withdrew the APIService, so that it holds nothing up', apiServiceReference);
  }

  #compare(found: KubernetesObject | undefined): Comparison {
    const { service, certificates } = this.#options;
    const compared = compareApiService(found, service, certificates.caBundle());
    // While there is no certificate it is not known what the bundle should be: the old one stays.
    return compared === 'Outdated' && certificates.ready() !== undefined ? 'Current' : compared;
  }
}

const foreign = `APIService ${apiServiceReference.name} is not labelled app.kubernetes.io/managed-by: stageset-controller: label it, delete it, or switch its registration off`;
