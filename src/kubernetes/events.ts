import { randomBytes } from 'node:crypto';
import { type Instant, instant, minutes, seconds } from '../core/time.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { isNotFound } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { FairBacklog } from './fair-backlog.ts';
import { toMicroTime } from './micro-time.ts';

/** What happened to an object, to be shown by `kubectl describe` and `kubectl events`. */
export interface EventRecord {
  regarding: KubernetesObject;
  type: 'Normal' | 'Warning';
  /** UpperCamelCase word; used as action too (part B 9.2). */
  reason: string;
  /** Cut at 1024 bytes, which is what the API takes. */
  note: string;
  related?: KubernetesObject;
  /** For machines: what the note says for people, such as the revision. */
  annotations?: Readonly<Record<string, string>>;
}

export interface EventRecorderOptions {
  /** `reportingController`, such as `stages.metio.wtf/stageset-controller`. */
  controller: string;
  /** `reportingInstance`: the pod. */
  instance: string;
  /** Events under way at a time, one of each namespace; more wait. Default 4. */
  concurrency?: number;
  /** Events that wait; more are dropped, of the namespace with the most. Default 500. */
  maxWaiting?: number;
  now?: () => Instant;
  /** Told when an event could not be written or was dropped. */
  onLost?: (record: EventRecord, error: unknown) => void;
}

interface Series {
  reference: { apiVersion: string; kind: string; namespace: string; name: string };
  count: number;
  writtenAt: Instant;
  seenAt: Instant;
}

const API_VERSION = 'events.k8s.io/v1';
/** An event that comes again within this time is the same one, as in client-go. */
const SERIES_WINDOW = minutes(6);
/** A series is written at most this often; the count catches up with the next write. */
const SERIES_INTERVAL = seconds(30);
const MAX_SERIES = 2000;
const MAX_NOTE_BYTES = 1024;

/**
 * Writes events.k8s.io/v1 events in the background. It never throws and never waits: losing an event
 * is better than failing a reconcile over it. The same event within six minutes becomes a series.
 */
export class EventRecorder {
  readonly #client: KubernetesClient;
  readonly #options: Required<EventRecorderOptions>;
  readonly #series = new Map<string, Series>();
  readonly #waiting: FairBacklog<EventRecord>;
  #active = 0;
  #stop = new AbortController();
  #idle: (() => void)[] = [];

  constructor(client: KubernetesClient, options: EventRecorderOptions) {
    this.#client = client;
    this.#options = {
      concurrency: 4,
      maxWaiting: 500,
      now: () => instant(Date.now()),
      onLost: () => undefined,
      ...options,
    };
    this.#waiting = new FairBacklog(this.#options.maxWaiting);
  }

  /** Takes note of an event; it is written as soon as may be. */
  record(record: EventRecord): void {
    if (this.#stop.signal.aborted) return;
    const dropped = this.#waiting.push(record.regarding.metadata.namespace ?? '', record);
    if (dropped !== undefined) {
      this.#options.onLost(dropped, new Error('Too many events are waiting to be written'));
    }
    this.#pump();
  }

  /** Resolves when all events so far are written or lost. */
  async flush(): Promise<void> {
    if (this.#active === 0 && this.#waiting.size === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Writes no more; what is under way is cut off. */
  stop(): void {
    this.#waiting.clear();
    this.#stop.abort(new Error('The event recorder was stopped'));
  }

  #pump(): void {
    while (this.#active < this.#options.concurrency) {
      const next = this.#waiting.take();
      if (next === undefined) break;
      this.#active += 1;
      this.#write(next.item)
        .catch((error: unknown) => this.#options.onLost(next.item, error))
        .finally(() => {
          this.#active -= 1;
          this.#waiting.done(next.party);
          this.#pump();
        })
        .catch(() => undefined); // onLost threw: that is its owner's affair.
    }
    if (this.#active === 0 && this.#waiting.size === 0) {
      for (const wake of this.#idle.splice(0)) wake();
    }
  }

  async #write(record: EventRecord): Promise<void> {
    const key = seriesKey(record);
    const now = this.#options.now();
    const series = this.#series.get(key);
    if (series !== undefined && now - series.seenAt < SERIES_WINDOW) {
      series.count += 1;
      series.seenAt = now;
      if (now - series.writtenAt < SERIES_INTERVAL && series.count > 2) return;
      if (await this.#writeSeries(series, now)) return;
    }
    await this.#create(record, key, now);
  }

  /** @returns false when the event has expired in the cluster. */
  async #writeSeries(series: Series, now: Instant): Promise<boolean> {
    series.writtenAt = now;
    try {
      await this.#client.patch(
        series.reference,
        {
          type: 'Merge',
          body: { series: { count: series.count, lastObservedTime: toMicroTime(now) } },
        },
        this.#call(),
      );
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  async #create(record: EventRecord, key: string, now: Instant): Promise<void> {
    const { regarding, related, annotations } = record;
    const namespace = regarding.metadata.namespace ?? 'default';
    const name = `${nameStem(regarding.metadata.name)}.${randomBytes(8).toString('hex')}`;
    const reference = { apiVersion: API_VERSION, kind: 'Event', namespace, name };
    // Known before it is written, so that the same event right behind this one finds it.
    this.#remember(key, { reference, count: 1, writtenAt: now, seenAt: now });
    try {
      await this.#client.create(
        {
          apiVersion: API_VERSION,
          kind: 'Event',
          metadata: {
            name,
            namespace,
            ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
          },
          eventTime: toMicroTime(now),
          reportingController: this.#options.controller,
          reportingInstance: this.#options.instance.slice(0, 128),
          type: record.type,
          reason: record.reason,
          action: record.reason,
          note: cut(record.note, MAX_NOTE_BYTES),
          regarding: referenceIn(regarding),
          ...(related === undefined ? {} : { related: referenceIn(related) }),
        },
        {},
        this.#call(),
      );
    } catch (error) {
      this.#series.delete(key);
      throw error;
    }
  }

  #remember(key: string, series: Series): void {
    this.#series.delete(key);
    this.#series.set(key, series);
    if (this.#series.size <= MAX_SERIES) return;
    const [oldest] = this.#series.keys();
    if (oldest !== undefined) this.#series.delete(oldest);
  }

  #call(): { signal: AbortSignal; timeout: ReturnType<typeof seconds> } {
    return { signal: this.#stop.signal, timeout: seconds(10) };
  }
}

function seriesKey({ regarding, type, reason, note, annotations = {} }: EventRecord): string {
  const { namespace = '', name, uid = '' } = regarding.metadata;
  return JSON.stringify([
    regarding.apiVersion,
    regarding.kind,
    namespace,
    name,
    uid,
    type,
    reason,
    note,
    annotations,
  ]);
}

/** `v1.ObjectReference`. */
function referenceIn(object: KubernetesObject): { [field: string]: string | undefined } {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name,
    namespace,
    uid,
    resourceVersion,
  };
}

/** An event's name is a DNS subdomain; the name of what it is about (an RBAC role) need not be. */
function nameStem(name: string): string {
  const stem = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .slice(0, 230)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return stem === '' ? 'object' : stem;
}

/** At most `bytes` of UTF-8, with no half character at the end. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text, 'utf8');
  if (encoded.length <= bytes) return text;
  return `${encoded
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}
