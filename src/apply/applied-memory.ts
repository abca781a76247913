import { digestOf } from '../core/hash.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';

/** What one object looked like when we applied it last. */
export interface AppliedRecord {
  /** Digest of the object as rendered. */
  readonly desired: string;
  /** The stage that applied it. */
  readonly stage: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation: number | undefined;
  /** Digest of the live labels and annotations, which no generation counts. */
  readonly metadata: string;
}

/**
 * Remembers what was applied, so that an object which neither side changed costs no request. It is
 * an optimisation only: a forgotten object is dry-run and applied again, which changes nothing.
 * Bounded; the objects that were not looked at for longest are forgotten first.
 */
export class AppliedMemory {
  readonly #records = new Map<string, AppliedRecord>();
  readonly #capacity: number;

  constructor(capacity = 100_000) {
    this.#capacity = capacity;
  }

  recall(key: string): AppliedRecord | undefined {
    const record = this.#records.get(key);
    if (record === undefined) return undefined;
    this.#records.delete(key);
    this.#records.set(key, record);
    return record;
  }

  /** As `recall`, but whoever asks does not keep the record from being forgotten. */
  peek(key: string): AppliedRecord | undefined {
    return this.#records.get(key);
  }

  remember(key: string, record: AppliedRecord): void {
    this.#records.delete(key);
    this.#records.set(key, record);
    if (this.#records.size <= this.#capacity) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }

  forget(key: string): void {
    this.#records.delete(key);
  }
}

/** Whether the live object is still as it was applied, by what its metadata tells. */
export function untouchedSince(
  record: AppliedRecord,
  live: KubernetesObject,
  metadataDigest: (object: KubernetesObject) => string,
): boolean {
  const { uid, resourceVersion, generation } = live.metadata;
  if (uid !== record.uid) return false;
  if (resourceVersion === record.resourceVersion) return true;
  // A status update moves the resourceVersion only; every other change moves the generation or the
  // labels and annotations. Kinds without a generation have nothing that could tell the two apart.
  return (
    generation !== undefined &&
    generation === record.generation &&
    metadataDigest(live) === record.metadata
  );
}

/** Digest of the labels and annotations, for an `AppliedRecord`. */
export function metadataDigest({ metadata }: KubernetesObject): string {
  return digestOf({ labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} });
}

/** What is remembered of an object that is in the cluster as it was rendered. */
export function recordOf(live: KubernetesObject, desired: string, stage: string): AppliedRecord {
  return {
    desired,
    stage,
    uid: live.metadata.uid ?? '',
    resourceVersion: live.metadata.resourceVersion ?? '',
    generation: live.metadata.generation,
    metadata: metadataDigest(live),
  };
}
