import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client';
import type { WorkQueueObserver } from '../types/metrics.ts';

/** Monotonic time in milliseconds, from any origin: `performance.now`. */
export type Stopwatch = () => number;

/** As controller-runtime sets them: ten nanoseconds to a thousand seconds. */
const buckets = exponentialBuckets(1e-8, 10, 12);
const labelNames = ['name', 'controller'];

/**
 * The `workqueue_*` series of client-go, labelled as controller-runtime labels them. Depth has no
 * `priority` label, since the queue has no priorities.
 */
export function observeWorkQueue(
  registry: Registry,
  name: string,
  stopwatch: Stopwatch,
): WorkQueueObserver {
  const labels = { name, controller: name };
  const registers = [registry];
  const queuedAt = new Map<string, number>();
  const startedAt = new Map<string, number>();
  const secondsSince = (moment: number): number => (stopwatch() - moment) / 1000;

  const adds = new Counter({
    name: 'workqueue_adds_total',
    help: 'Keys that were added to the queue.',
    labelNames,
    registers,
  });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Keys that were put off for a retry.',
    labelNames,
    registers,
  });
  const waits = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'Time from the addition of a key to its start.',
    labelNames,
    buckets,
    registers,
  });
  const works = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'Time from the start of a key to its end.',
    labelNames,
    buckets,
    registers,
  });
  gauge(registry, labels, 'depth', 'Keys that wait in the queue.', () => queuedAt.size);
  gauge(registry, labels, 'unfinished_work_seconds', 'Time spent so far on keys in work.', () =>
    [...startedAt.values()].reduce((sum, moment) => sum + secondsSince(moment), 0),
  );
  gauge(
    registry,
    labels,
    'longest_running_processor_seconds',
    'Time spent so far on the key that is longest in work.',
    () => Math.max(0, ...[...startedAt.values()].map(secondsSince)),
  );
  adds.inc(labels, 0);
  retries.inc(labels, 0);
  waits.zero(labels);
  works.zero(labels);

  return {
    added: (key) => {
      if (queuedAt.has(key)) return;
      queuedAt.set(key, stopwatch());
      adds.inc(labels);
    },
    started: (key) => {
      const queued = queuedAt.get(key);
      queuedAt.delete(key);
      if (queued !== undefined) waits.observe(labels, secondsSince(queued));
      startedAt.set(key, stopwatch());
    },
    finished: (key) => {
      const started = startedAt.get(key);
      startedAt.delete(key);
      if (started !== undefined) works.observe(labels, secondsSince(started));
    },
    retried: () => retries.inc(labels),
  };
}

/** A gauge that is read when it is scraped. */
function gauge(
  registry: Registry,
  labels: Record<string, string>,
  name: string,
  help: string,
  read: () => number,
): void {
  new Gauge({
    name: `workqueue_${name}`,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.set(labels, read());
    },
  });
}
