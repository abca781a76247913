import { groupOf, versionOf } from '../core/objects/identity.ts';
import { readYaml } from '../core/objects/yaml.ts';
import { isJsonObject } from '../core/validate/json-object.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import type { StagePatch } from '../types/stages.ts';
import { patternMatcher } from './target-pattern.ts';

/** A patch of a stage and what its text holds. */
export interface ReadPatch {
  readonly target: StagePatch['target'];
  readonly documents: readonly unknown[];
  /** Whether its text is written so that readers disagree about it. */
  readonly unusual: boolean;
}

/**
 * Reads patches as YAML, where kustomize would only say that it could not.
 *
 * @throws TerminalError naming the patch by its index in the stage, line and column.
 */
export function readPatches(patches: readonly StagePatch[]): ReadPatch[] {
  return patches.map(({ patch, target }, index) => {
    const documents = [...readYaml(patch, `patches[${index}]`, 'Kustomize')];
    return {
      target,
      documents: documents.map(({ value }) => value),
      unusual: documents.some(({ unusual }) => unusual),
    };
  });
}

/**
 * Which objects of a plain directory patches can touch; `Everything` where that cannot be told from
 * the patches alone. kustomize needs to see those objects only: without a kustomization in the
 * directory nothing else makes one object depend on another. It is too wide rather than too narrow.
 */
export type PatchReach = 'Everything' | ((object: KubernetesObject) => boolean);

export function reachOf(patches: readonly ReadPatch[]): PatchReach {
  const reaches = patches.map(reachOfOne);
  if (reaches.includes('Everything')) return 'Everything';
  return (object) => reaches.some((reach) => reach !== 'Everything' && reach(object));
}

const nothing = (): boolean => false;

function reachOfOne({ target, documents, unusual }: ReadPatch): PatchReach {
  const operations = documents.flatMap((document) =>
    Array.isArray(document) ? (document as unknown[]) : [],
  );
  if (unusual || operations.some(canRename) || documents.some(hasOrder)) return 'Everything';
  if (target !== undefined) return selects(target);
  const named = documents.filter(isJsonObject);
  if (named.some(({ kind }) => typeof kind !== 'string' || kind.endsWith('List'))) {
    return 'Everything';
  }
  // A list of operations without a target is refused by kustomize.
  return named.length === 0 ? nothing : names(named);
}

/**
 * Whether an operation of a JSON patch can change what an object is called. kustomize then changes
 * references to it in other objects too.
 */
function canRename(operation: unknown): boolean {
  if (!isJsonObject(operation)) return true;
  const { path, from } = operation;
  return [path, from].some((pointer) => {
    if (pointer === undefined) return false;
    if (typeof pointer !== 'string' || !pointer.startsWith('/')) return true;
    if (/^\/metadata\/(?:labels|annotations)(?:\/|$)/.test(pointer)) return false;
    return /^\/(?:$|apiVersion(?:\/|$)|kind(?:\/|$)|metadata(?:\/|$))/.test(pointer);
  });
}

/** Whether there is an annotation in it that is an order to kustomize, such as one to rename. */
function hasOrder(document: unknown): boolean {
  return /config\.(?:kubernetes|k8s)\.io/.test(JSON.stringify(document));
}

/** Objects of the kind and name of a patch. Version and namespace are left to kustomize. */
function names(documents: readonly JsonObject[]): (object: KubernetesObject) => boolean {
  const known = new Set(
    documents.map(({ kind, metadata }) =>
      keyOf(kind, isJsonObject(metadata) ? metadata['name'] : undefined),
    ),
  );
  return ({ kind, metadata }) => known.has(keyOf(kind, metadata.name));
}

function keyOf(kind: unknown, name: unknown): string {
  return `${String(kind)}/${String(name)}`;
}

/** kustomize's own name for the namespace of an object that has none by its kind. */
const noNamespace = '_non_namespaceable_';

/** Objects that a target may select. Its selectors of labels and annotations are left to kustomize. */
function selects(target: NonNullable<StagePatch['target']>): (object: KubernetesObject) => boolean {
  const [group, version, kind, name, namespace] = [
    target.group,
    target.version,
    target.kind,
    target.name,
    target.namespace,
  ].map(patternMatcher);
  return ({ apiVersion, kind: itsKind, metadata }) =>
    group?.(groupOf(apiVersion)) !== false &&
    version?.(versionOf(apiVersion)) !== false &&
    kind?.(itsKind) !== false &&
    name?.(metadata.name) !== false &&
    [metadata.namespace ?? '', noNamespace].some(
      (candidate) => candidate === '' || namespace?.(candidate) !== false,
    );
}
