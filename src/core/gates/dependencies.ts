import type { Dependency } from '../../types/stages.ts';
import type { Rest } from '../rest.ts';
import { jittered, retryIntervalOf } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { after, minutes } from '../time.ts';
import { isAtLeast, parseVersion } from '../version/semver.ts';
import {
  cycleThrough,
  type DependencyFacts,
  dependencyKey,
  dependencyKeysOf,
  keyOfStageSet,
} from './dependency-graph.ts';

/** Asked before every run: whether each StageSet of `dependsOn` has delivered (part A 2.4). */
export function dependencyUnmet(snapshot: Snapshot): Rest | undefined {
  const { dependencies, now, spec, settings, stageSet } = snapshot;
  const dependsOn = spec.dependsOn ?? [];
  if (dependsOn.length === 0) return undefined;
  const cycle = inCycle(snapshot);
  if (cycle !== undefined) {
    const ready = { status: 'False', reason: 'Stalled', message: cycle } as const;
    return { kind: 'Rest', ready, wakeAt: after(now, minutes(1)) };
  }
  const namespace = stageSet.metadata.namespace ?? '';
  const complaints = dependsOn.flatMap((dependency) => {
    const facts = dependencies.get(dependencyKey(dependency, namespace));
    return complaintAbout(dependency, namespace, facts);
  });
  if (complaints.length === 0) return undefined;
  const pause = jittered(
    retryIntervalOf(spec, settings),
    `${stageSet.metadata.uid ?? ''}/${now}/dependencies`,
  );
  return {
    kind: 'Rest',
    ready: { status: 'False', reason: 'DependencyNotReady', message: listed(complaints) },
    wakeAt: after(now, pause),
  };
}

function inCycle({ dependencies, stageSet, spec }: Snapshot): string | undefined {
  const start = keyOfStageSet(stageSet);
  const keys = dependencyKeysOf({ ...stageSet, spec });
  const index = cycleThrough(start, keys, dependencies);
  if (index === undefined) return undefined;
  // No name of the way beyond the own spec: it may lead through namespaces of others.
  return (
    `the dependsOn graph forms a cycle: StageSet ${keys[index] ?? ''} depends on this one in the ` +
    'end; remove one of the references of the cycle'
  );
}

/** What is wrong with a dependency: at most one sentence. Undefined facts are of one not found. */
function complaintAbout(
  dependency: Dependency,
  ownNamespace: string,
  facts: DependencyFacts | undefined,
): string[] {
  const key = dependencyKey(dependency, ownNamespace);
  const what = facts === undefined ? 'does not exist' : shortcoming(dependency, facts);
  if (what === undefined) return [];
  const foreign = key !== dependencyKey({ name: dependency.name }, ownNamespace);
  return [foreign ? aboutForeign(dependency) : `StageSet ${key} ${what}`];
}

/**
 * One sentence for whatever is wrong in another namespace, from words of the spec alone, so that
 * nobody can probe what there is (part A 3.1).
 */
function aboutForeign({ name, namespace, minVersion }: Dependency): string {
  const version = minVersion === undefined ? '' : `, or it has not delivered version ${minVersion}`;
  return (
    `StageSet ${name} in namespace ${namespace ?? ''} cannot be relied on: references to other ` +
    `namespaces are forbidden here, or it is not ready${version}`
  );
}

function shortcoming({ minVersion }: Dependency, facts: DependencyFacts): string | undefined {
  const { generation, observedGeneration, ready, version } = facts;
  if (facts.deleting) return 'is being deleted';
  if (ready === undefined) return 'has not been looked at yet';
  if (ready.status !== 'True') return `is not ready (${ready.reason})`;
  if (observedGeneration !== generation) {
    return `is ready for generation ${observedGeneration ?? 'none'}, and its spec is at ${generation ?? 'none'}`;
  }
  if (facts.holdsRevision) return 'holds a newer revision back (status.pendingUpdate)';
  return minVersion === undefined ? undefined : belowVersion(minVersion, version);
}

function belowVersion(minVersion: string, version: string | undefined): string | undefined {
  const least = parseVersion(minVersion);
  if (least === undefined) return `cannot be compared: minVersion ${minVersion} is no version`;
  const needs = `version ${minVersion} is needed`;
  if (version === undefined || version === '') return `has no version yet, ${needs}`;
  const delivered = parseVersion(version);
  if (delivered === undefined) return `has a version that is no semantic version, ${needs}`;
  return isAtLeast(delivered, least) ? undefined : `is at version ${version}, ${needs}`;
}

const shown = 10;

function listed(complaints: readonly string[]): string {
  const rest = complaints.length - shown;
  const first = complaints.slice(0, shown).join('; ');
  return rest > 0 ? `${first}; and ${rest} more` : first;
}
