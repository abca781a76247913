import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { describeObject, groupOf, identityOf } from './identity.ts';
import { decodeText, readYaml, type YamlDocument } from './yaml.ts';
import { describePosition, manifestError, type SourcePosition } from './yaml-position.ts';
import type { YamlDialect } from './yaml-scalars.ts';

/** An object and where it is written. */
export interface Manifest {
  readonly object: KubernetesObject;
  readonly at: SourcePosition;
}

export interface Manifests {
  readonly manifests: readonly Manifest[];
  /** Whether something is written in a way that kustomize must be asked what it makes of it. */
  readonly unusual: boolean;
}

/** Group of the files that tell kustomize what to do; they are no objects of a cluster. */
const kustomizeGroup = 'kustomize.config.k8s.io';

/** What a generator puts into an empty directory; it must never reach a cluster (part A 4.4). */
const placeholder = '_placeholder';

/** Annotations and labels that are orders to kustomize and not data. */
const kustomizeOrder = /(?:^|\.)config\.(?:kubernetes|k8s)\.io\//;

/**
 * The Kubernetes objects of some files, in order: Lists are replaced by their items, kustomization
 * documents and placeholders are left out (part A 4.6).
 *
 * @throws TerminalError naming file, line and column of what is no YAML or no Kubernetes object. Such
 * a document is never skipped: its objects would be taken for deleted, and pruned.
 */
export function readManifests(
  files: Iterable<readonly [path: string, content: Uint8Array]>,
  dialect: YamlDialect,
): Manifests {
  const manifests: Manifest[] = [];
  let unusual = false;
  for (const [path, content] of files) {
    for (const document of readYaml(decodeText(content, path), path, dialect)) {
      unusual ||= document.unusual;
      for (const manifest of expanded(document)) {
        if (manifest === 'ForKustomize') {
          unusual = true;
          continue;
        }
        unusual ||= isUnusual(manifest.object);
        if (!isPlaceholder(manifest.object)) manifests.push(manifest);
      }
    }
  }
  return { manifests, unusual };
}

/**
 * Refuses two manifests of the same object: the last one would win, and which one that is nobody
 * decided. The API version is no part of an object's identity.
 *
 * @throws TerminalError naming both positions.
 */
export function refuseDuplicates(manifests: readonly Manifest[]): void {
  const seen = new Map<string, SourcePosition>();
  for (const { object, at } of manifests) {
    const identity = identityOf(object);
    const first = seen.get(identity);
    if (first !== undefined) {
      throw manifestError(
        at,
        `${describeObject(object)} is defined in ${describePosition(first)} already; remove one of them`,
      );
    }
    seen.set(identity, at);
  }
}

/** The objects of a document: of a List, and of a JSON array in a .json file, its items. */
function* expanded({
  value,
  at,
}: Pick<YamlDocument, 'value' | 'at'>): Generator<Manifest | 'ForKustomize'> {
  const items = itemsOf(value, at);
  if (items === undefined) {
    yield isKustomizeDocument(value) ? 'ForKustomize' : { object: kubernetesObject(value, at), at };
    return;
  }
  for (const item of items) yield* expanded({ value: item, at });
}

function itemsOf(value: unknown, at: SourcePosition): readonly unknown[] | undefined {
  if (Array.isArray(value)) return /\.json$/i.test(at.file) ? (value as unknown[]) : undefined;
  if (!isJsonObject(value)) return undefined;
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || items === undefined) return undefined;
  if (items === null) return [];
  if (Array.isArray(items)) return items as unknown[];
  throw manifestError(at, `items of the ${kind} must be a list`);
}

const whatToDo = 'complete it, or move it out of the directory that the stage builds';

function kubernetesObject(value: unknown, at: SourcePosition): KubernetesObject {
  if (!isJsonObject(value)) {
    throw manifestError(at, `is not a Kubernetes object but ${describeType(value)}; ${whatToDo}`);
  }
  if (isKubernetesObject(value)) return value;
  const absent = [
    ...(isText(value['apiVersion']) ? [] : ['apiVersion']),
    ...(isText(value['kind']) ? [] : ['kind']),
    ...(hasName(value) ? [] : ['metadata.name']),
  ];
  throw manifestError(
    at,
    `is not a Kubernetes object: ${absent.join(', ')} must be there and be text; ${whatToDo}`,
  );
}

function isKubernetesObject(value: JsonObject): value is KubernetesObject {
  return isText(value['apiVersion']) && isText(value['kind']) && hasName(value);
}

function hasName({ metadata }: JsonObject): boolean {
  return isJsonObject(metadata) && isText(metadata['name']);
}

function isPlaceholder({ apiVersion, kind, metadata }: KubernetesObject): boolean {
  return apiVersion === 'v1' && kind === 'Namespace' && metadata.name === placeholder;
}

function isKustomizeDocument(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { apiVersion, kind } = value;
  return isText(kind) && isText(apiVersion) && groupOf(apiVersion) === kustomizeGroup;
}

function isUnusual(object: KubernetesObject): boolean {
  const { labels, annotations } = object.metadata as JsonObject;
  return [labels, annotations].some(isUnusualMap) || hasNullItem(object);
}

function isUnusualMap(map: unknown): boolean {
  if (map === undefined) return false;
  if (!isJsonObject(map)) return true;
  const entries = Object.entries(map);
  return (
    entries.length === 0 ||
    entries.some(([key, value]) => typeof value !== 'string' || kustomizeOrder.test(key))
  );
}

/** kustomize refuses a null in a list, in a message of its own. */
function hasNullItem(value: unknown): boolean {
  if (Array.isArray(value)) {
    return (value as unknown[]).some((item) => item === null || hasNullItem(item));
  }
  return isJsonObject(value) && Object.values(value).some(hasNullItem);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function describeType(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'string' ? 'text' : `a ${typeof value}`;
}
