import type { AppliedMemory } from '../apply/applied-memory.ts';
import {
  type Follower,
  type OwnedEvent,
  type OwnedKind,
  OwnedWatches,
  type OwnedWatchesOptions,
} from '../apply/owned-watches.ts';
import { explains, forgetDigest, type Sighting, stageSetNamedBy } from '../apply/sighting.ts';
import { afterCorrection, type Contention, correctableFrom } from '../core/drift/contention.ts';
import { type DriftedObject, type DriftSeen, noDrift } from '../core/drift/drifted.ts';
import { healthNeedsRead } from '../core/health/status.ts';
import { awaitsHealth } from '../core/look-by.ts';
import { identityOf } from '../core/objects/identity.ts';
import type { RunProgress } from '../core/run.ts';
import type { Duration, Instant } from '../core/time.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';

export interface DriftWatchOptions {
  /** `Off` starts no watch. */
  readonly mode: 'On' | 'Off';
  readonly applied: AppliedMemory;
  readonly stageSetOf: (key: string) => StageSet | undefined;
  readonly runOf: (key: string) => RunProgress | undefined;
  /** Told of a StageSet that should be looked at. */
  readonly onNews: (key: string) => void;
  readonly watches: Omit<OwnedWatchesOptions, 'onEvent'>;
}

/** What is known of one StageSet's objects; it is lost with the process, and then applied anew. */
interface Watched {
  /** By key in the memory of applied objects; judged when somebody asks. */
  readonly sightings: Map<string, Seen>;
  readonly contentions: Map<string, Contention>;
  /** An object that is waited for has changed since the last look. */
  news: boolean;
}

interface Seen {
  readonly id: string;
  readonly sighting: Sighting;
}

/** Objects that nobody has applied yet, or strangers with our labels, kept for a run under way. */
const mostSightings = 10_000;

/**
 * Tells from watches which applied objects somebody else has changed, and that objects which are
 * waited for have changed. Labels are tenants' texts: only what the memory of applied objects has
 * under the same identity and StageSet counts.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions;
  readonly #watches: OwnedWatches;
  readonly #watched = new Map<string, Watched>();

  constructor(options: DriftWatchOptions) {
    this.#options = options;
    this.#watches = new OwnedWatches({
      ...options.watches,
      onEvent: (identity, event) => this.#see(identity, event),
    });
  }

  /** Follows what a group of a stage is made of; with the last group, nothing else any more. */
  follow(follower: Follower, kinds: readonly OwnedKind[], groups: 'Some' | 'All'): void {
    if (this.#options.mode === 'Off') return;
    if (groups === 'All') this.#watches.followOnly(follower, kinds);
    else this.#watches.alsoFollow(follower, kinds);
  }

  /** A run starts that looks at everything by itself: what was seen before is no news. */
  runStarted(key: string, stages: readonly string[]): void {
    this.#watched.get(key)?.sightings.clear();
    this.#watches.keepStages(key, new Set(stages));
  }

  /** A correction starts that looks at these. */
  correctionStarted(key: string, objects: readonly DriftedObject[]): void {
    const sightings = this.#watched.get(key)?.sightings;
    if (sightings === undefined) return;
    const ids = new Set(objects.map(({ id }) => id));
    for (const [applied, { id }] of sightings) if (ids.has(id)) sightings.delete(applied);
  }

  /** The StageSet is gone or on its way: what happens to its objects is no drift. */
  release(key: string): void {
    this.#watched.delete(key);
    this.#watches.release(key);
  }

  /** What has drifted, judged by what is known of our own writes by now. */
  seen(key: string, now: Instant): DriftSeen {
    const watched = this.#watched.get(key);
    if (watched === undefined || watched.sightings.size === 0) return noDrift;
    const underWay = isUnderWay(this.#options.runOf(key));
    const due: DriftedObject[] = [];
    let nextAt: Instant | undefined;
    for (const [applied, { id, sighting }] of watched.sightings) {
      const record = this.#options.applied.peek(applied);
      if (record === undefined && underWay) continue;
      if (record === undefined || explains(record, sighting)) {
        watched.sightings.delete(applied);
        continue;
      }
      const contention = watched.contentions.get(applied);
      const from = contention === undefined ? now : correctableFrom(contention);
      if (from <= now) due.push({ stage: record.stage, id });
      else if (nextAt === undefined || from < nextAt) nextAt = from;
    }
    return { due, nextAt };
  }

  /**
   * Takes note that an object was corrected, or looked at in vain, and returns what that makes of it:
   * whoever comes back too often has to wait.
   */
  corrected(key: string, applied: string, at: Instant, longest: Duration): Contention {
    const watched = this.#of(key);
    const contention = afterCorrection(watched.contentions.get(applied), at, longest);
    watched.contentions.delete(applied);
    watched.contentions.set(applied, contention);
    const [oldest] = watched.contentions.keys();
    if (watched.contentions.size > mostSightings && oldest !== undefined) {
      watched.contentions.delete(oldest);
    }
    return contention;
  }

  /** Whether an object that is waited for has changed since the last look. */
  hasNews(key: string): boolean {
    return this.#watched.get(key)?.news === true;
  }

  /** A look begins now. */
  takeNews(key: string): void {
    const watched = this.#watched.get(key);
    if (watched !== undefined) watched.news = false;
  }

  /** Whether every change of an applied object is told right now. */
  covers(identity: string, scope: string, object: OwnedKind & { readonly name: string }): boolean {
    if (this.#options.applied.peek(`${scope}|${identityOf(object)}`) === undefined) return false;
    return this.#watches.covers(identity, object);
  }

  async stop(): Promise<void> {
    await this.#watches.stop();
  }

  #of(key: string): Watched {
    const known = this.#watched.get(key);
    if (known !== undefined) return known;
    const fresh: Watched = { sightings: new Map(), contentions: new Map(), news: false };
    this.#watched.set(key, fresh);
    return fresh;
  }

  #see(identity: string, event: OwnedEvent): void {
    const { object } = event;
    // A label that somebody changed names another StageSet now: the former one has lost its object.
    const before = event.type === 'Modified' ? stageSetNamedBy(event.previous) : undefined;
    for (const key of new Set([stageSetNamedBy(object), before])) {
      if (key !== undefined) this.#seeFor(key, identity, event);
    }
    forgetDigest(object);
  }

  #seeFor(key: string, identity: string, { type, object }: OwnedEvent): void {
    const stageSet = this.#options.stageSetOf(key);
    if (stageSet === undefined || stageSet.metadata.deletionTimestamp !== undefined) return;
    const id = identityOf(object);
    const applied = `${identity}|${stageSet.metadata.uid ?? ''}|${id}`;
    const record = this.#options.applied.peek(applied);
    const run = this.#options.runOf(key);
    const sighting: Sighting =
      type === 'Deleted'
        ? { kind: 'Gone', uid: object.metadata.uid ?? '' }
        : { kind: 'There', object: { ...object } };
    if (record === undefined) {
      // It may be a write of ours whose answer is on its way.
      if (isUnderWay(run)) this.#hold(key, applied, { id, sighting });
      return;
    }
    const ownWrite =
      type !== 'Deleted' && object.metadata.resourceVersion === record.resourceVersion;
    if (!ownWrite && run !== undefined && awaitsHealth(run) && healthNeedsRead(object)) {
      this.#tellNews(key);
    }
    if (ownWrite || explains(record, sighting)) {
      this.#watched.get(key)?.sightings.delete(applied);
      return;
    }
    if (type !== 'Deleted' && this.#isTaken(key, object)) return;
    // What is on its way out cannot be mended; it is missed when it is gone.
    if (type !== 'Deleted' && object.metadata.deletionTimestamp !== undefined) return;
    this.#hold(key, applied, { id, sighting });
    if (run?.outcome !== undefined || run?.correction !== undefined) this.#options.onNews(key);
  }

  /** Whether another StageSet has it now: the next run says who may keep it, a correction does not. */
  #isTaken(key: string, object: KubernetesObject): boolean {
    const named = stageSetNamedBy(object);
    return named !== undefined && named !== key && this.#options.stageSetOf(named) !== undefined;
  }

  /** One look answers all the news before it. */
  #tellNews(key: string): void {
    const watched = this.#of(key);
    if (watched.news) return;
    watched.news = true;
    this.#options.onNews(key);
  }

  #hold(key: string, applied: string, seen: Seen): void {
    const { sightings } = this.#of(key);
    sightings.delete(applied);
    sightings.set(applied, seen);
    const [oldest] = sightings.keys();
    if (sightings.size > mostSightings && oldest !== undefined) sightings.delete(oldest);
  }
}

function isUnderWay(run: RunProgress | undefined): boolean {
  return run !== undefined && run.outcome === undefined;
}
