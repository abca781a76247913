import type { Dependency, StageSet } from '../../types/stages.ts';

/** `namespace/name` of a StageSet. */
export type StageSetKey = string;

function stageSetKey(namespace: string, name: string): StageSetKey {
  return `${namespace}/${name}`;
}

export function keyOfStageSet({ metadata }: Pick<StageSet, 'metadata'>): StageSetKey {
  return stageSetKey(metadata.namespace ?? '', metadata.name);
}

/** The StageSet that a reference means; an empty namespace is the one of who refers. */
export function dependencyKey({ name, namespace }: Dependency, ownNamespace: string): StageSetKey {
  const elsewhere = namespace !== undefined && namespace !== '';
  return stageSetKey(elsewhere ? namespace : ownNamespace, name);
}

/** Most StageSets that one may depend on; a spec that names more is refused. */
export const mostNamed = 100;

/** Keys of the StageSets that one depends on, each once; of too many only the first ones. */
export function dependencyKeysOf({ metadata, spec }: StageSet): StageSetKey[] {
  const own = metadata.namespace ?? '';
  const named = (spec?.dependsOn ?? []).slice(0, mostNamed);
  return [...new Set(named.map((each) => dependencyKey(each, own)))];
}

/** What counts of a StageSet that others depend on (part A 2.4). */
export interface DependencyFacts {
  readonly generation: number | undefined;
  readonly observedGeneration: number | undefined;
  /** Status and reason of its Ready condition. */
  readonly ready: { readonly status: string; readonly reason: string } | undefined;
  /** Whether an update window or a budget holds a newer revision back. */
  readonly holdsRevision: boolean;
  readonly version: string | undefined;
  readonly deleting: boolean;
  readonly dependsOn: readonly StageSetKey[];
}

export function dependencyFacts(stageSet: StageSet): DependencyFacts {
  const { metadata, status = {} } = stageSet;
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  return {
    generation: metadata.generation,
    observedGeneration: status.observedGeneration,
    ready: ready === undefined ? undefined : { status: ready.status, reason: ready.reason },
    holdsRevision: Object.keys(status.pendingUpdate?.revisions ?? {}).length > 0,
    version: status.version,
    deleting: metadata.deletionTimestamp !== undefined,
    dependsOn: dependencyKeysOf(stageSet),
  };
}

/**
 * The StageSets that can be reached from one over `dependsOn`, as far as they were looked up. One
 * that is not there, may not be asked for, or lies beyond the bound of the walk is left out.
 */
export type DependencyGraph = ReadonlyMap<StageSetKey, DependencyFacts>;

/** Most StageSets that one walk looks at: more are no dependencies, but an attack. */
export const mostDependencies = 1000;

/**
 * The reference of `start` that leads back to it, by its index in `dependsOn`; undefined where none
 * does. A walk by breadth; what is missing from the graph is a leaf (part A 2.4).
 */
export function cycleThrough(
  start: StageSetKey,
  dependsOn: readonly StageSetKey[],
  graph: DependencyGraph,
): number | undefined {
  // Each is told by the first reference that leads to it.
  const reached = new Map<StageSetKey, number>();
  const line: StageSetKey[] = [];
  const visit = (key: StageSetKey, by: number): void => {
    if (reached.has(key)) return;
    reached.set(key, by);
    line.push(key);
  };
  for (const [index, key] of dependsOn.entries()) visit(key, index);
  for (const key of line) {
    if (key === start) return reached.get(start);
    for (const next of graph.get(key)?.dependsOn ?? []) visit(next, reached.get(key) ?? 0);
  }
  return undefined;
}
