import { type Duration, type Instant, instant, milliseconds, seconds } from '../core/time.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import { isAlreadyExists, isConflict } from './api-error.ts';
import type { Random } from './backoff.ts';
import type { KubernetesClient } from './client.ts';
import { toMicroTime } from './micro-time.ts';
import { objectAt, stringAt } from './shapes.ts';
import { onAbort, pause } from './wait.ts';

export interface LeaderElectionOptions {
  namespace: string;
  name: string;
  /** Unique for each candidate, such as the pod's name and a random part. */
  identity: string;
  /** How long a holder that is not heard of keeps the lease. Default 15 s. */
  leaseDuration?: Duration;
  /** How long the holder goes on without a successful renewal. Default 10 s. */
  renewDeadline?: Duration;
  /** Time between attempts, up to a fifth more at random. Default 2 s. */
  retryPeriod?: Duration;
  random?: Random;
  /** Wall clock, for what is written. */
  now?: () => Instant;
  /** Told when the holder changes. */
  onHolder?: (identity: string) => void;
  /** Told of failed attempts. */
  onError?: (error: unknown) => void;
  /** Told at the very moment that the lease counts as lost, before `lead` has ended. */
  onLost?: () => void;
}

interface Observation {
  resourceVersion: string;
  /** On our monotonic clock: the clocks of two nodes need not agree. */
  at: number;
}

/**
 * Leader election on a coordination.k8s.io Lease. At most one candidate leads, as long as no clock
 * runs more than half as fast again as another: the holder stops `renewDeadline` after its last
 * success, others wait `leaseDuration` after the last change that they saw.
 */
export class LeaderElector {
  readonly #client: KubernetesClient;
  readonly #options: Required<LeaderElectionOptions>;
  readonly #reference: ObjectReference;
  #observed: Observation | undefined;
  #holder = '';
  /** The lease as we wrote it last: while we hold it, a renewal need not read it first. */
  #written: KubernetesObject | undefined;

  constructor(client: KubernetesClient, options: LeaderElectionOptions) {
    this.#client = client;
    this.#options = {
      leaseDuration: seconds(15),
      renewDeadline: seconds(10),
      retryPeriod: seconds(2),
      random: Math.random,
      now: () => instant(Date.now()),
      onHolder: () => undefined,
      onError: () => undefined,
      onLost: () => undefined,
      ...options,
    };
    const { namespace, name } = options;
    this.#reference = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name };
  }

  /** Who leads, as last seen; empty when nobody does. */
  get holder(): string {
    return this.#holder;
  }

  get isLeader(): boolean {
    return this.#holder === this.#options.identity;
  }

  /**
   * Waits for the lease, runs `lead` while it is held, and gives the lease back when `lead` ends. The
   * signal given to `lead` fires when leadership is lost or `signal` fires; `lead` must end then.
   * @returns `Lost` when the lease could not be renewed in time, `Stopped` when `signal` fired or
   *   `lead` ended by itself.
   */
  async run(
    lead: (signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<'Lost' | 'Stopped'> {
    if (!(await this.#acquire(signal))) return 'Stopped';
    const term = new AbortController();
    const stop = (): void => term.abort(new Error('The leader is stopping'));
    const stopListening = onAbort(signal, stop);
    if (signal.aborted) stop();
    const renewing = this.#renewUntilLost(term);
    try {
      await lead(term.signal);
    } finally {
      stopListening();
      term.abort(new Error('The leader has ended'));
      if ((await renewing) === 'Ended') await this.#release();
    }
    return (await renewing) === 'Lost' ? 'Lost' : 'Stopped';
  }

  /** @returns false when `signal` fired first. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (await this.#attempt(signal)) return true;
      await pause(this.#period(), signal).catch(() => undefined);
    }
    return false;
  }

  /** Aborts `term` when the lease is lost; returns when `term` is aborted. */
  async #renewUntilLost(term: AbortController): Promise<'Lost' | 'Ended'> {
    const { renewDeadline, identity } = this.#options;
    let renewed = performance.now();
    for (;;) {
      // Not past the deadline: the loss must be noticed when it happens, not a period later.
      const deadline = Math.max(0, renewed + renewDeadline - performance.now());
      const ended = await pause(Math.min(this.#period(), deadline), term.signal).then(
        () => false,
        () => true,
      );
      if (ended) return 'Ended';
      const began = performance.now();
      const left = milliseconds(renewed + renewDeadline - began);
      const kept = left > 0 && (await this.#attempt(term.signal, left));
      if (kept) renewed = began;
      const taken = this.#holder !== identity && this.#holder !== '';
      if (!kept && (taken || performance.now() - renewed >= renewDeadline)) {
        this.#seeHolder('');
        this.#options.onLost();
        term.abort(new Error(`The lease ${this.#options.name} was lost`));
        return 'Lost';
      }
    }
  }

  /** One try to get or keep the lease. */
  async #attempt(signal: AbortSignal, timeout?: Duration): Promise<boolean> {
    const call = {
      signal,
      timeout: milliseconds(Math.min(timeout ?? this.#options.renewDeadline, 5_000)),
    };
    try {
      const current = this.#written ?? (await this.#client.find(this.#reference, call));
      if (current !== undefined && this.#written === undefined) {
        this.#observe(current);
        if (!this.#mayTake(current)) return false;
      }
      const record = this.#record(current);
      this.#written = await (current === undefined
        ? this.#client.create(record, {}, call)
        : this.#client.replace(record, {}, call));
      this.#observe(this.#written);
      return true;
    } catch (error) {
      this.#written = undefined;
      // Another candidate was faster: no failure, the next attempt sees it.
      if (!isConflict(error) && !isAlreadyExists(error) && !signal.aborted) {
        this.#options.onError(error);
      }
      return false;
    }
  }

  #observe(lease: KubernetesObject): void {
    const resourceVersion = lease.metadata.resourceVersion ?? '';
    if (this.#observed?.resourceVersion !== resourceVersion) {
      this.#observed = { resourceVersion, at: performance.now() };
    }
    this.#seeHolder(stringAt(objectAt(lease, 'spec'), 'holderIdentity') ?? '');
  }

  #mayTake(lease: KubernetesObject): boolean {
    if (this.#holder === '' || this.#holder === this.#options.identity) return true;
    const written = objectAt(lease, 'spec')['leaseDurationSeconds'];
    const duration = typeof written === 'number' ? written * 1000 : this.#options.leaseDuration;
    return this.#observed !== undefined && performance.now() - this.#observed.at > duration;
  }

  /** The lease as we want it, with the resourceVersion that makes a race a Conflict. */
  #record(current: KubernetesObject | undefined): KubernetesObject {
    const { identity, leaseDuration, now } = this.#options;
    const { namespace, name } = this.#reference;
    const spec = current === undefined ? {} : objectAt(current, 'spec');
    const kept = stringAt(spec, 'holderIdentity') === identity;
    const transitions = typeof spec['leaseTransitions'] === 'number' ? spec['leaseTransitions'] : 0;
    const at = toMicroTime(now());
    return {
      ...(current ?? {}),
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: current?.metadata ?? { name, ...(namespace === undefined ? {} : { namespace }) },
      spec: {
        ...spec,
        holderIdentity: identity,
        leaseDurationSeconds: Math.max(1, Math.round(leaseDuration / 1000)),
        acquireTime: kept ? spec['acquireTime'] : at,
        renewTime: at,
        leaseTransitions: kept || current === undefined ? transitions : transitions + 1,
      },
    };
  }

  /** Gives the lease back, so that the next leader need not wait for it to run out. */
  async #release(): Promise<void> {
    const call = { signal: new AbortController().signal, timeout: seconds(5) };
    this.#seeHolder('');
    this.#written = undefined;
    try {
      const current = await this.#client.find(this.#reference, call);
      if (current === undefined) return;
      const spec = objectAt(current, 'spec');
      if (stringAt(spec, 'holderIdentity') !== this.#options.identity) return;
      const freed = { ...spec, holderIdentity: '', leaseDurationSeconds: 1 };
      await this.#client.replace(
        { ...current, spec: { ...freed, renewTime: toMicroTime(this.#options.now()) } },
        {},
        call,
      );
    } catch (error) {
      this.#options.onError(error); // It runs out by itself then.
    }
  }

  #seeHolder(identity: string): void {
    if (identity === this.#holder) return;
    this.#holder = identity;
    this.#options.onHolder(identity);
  }

  #period(): number {
    return this.#options.retryPeriod * (1 + 0.2 * this.#options.random());
  }
}
