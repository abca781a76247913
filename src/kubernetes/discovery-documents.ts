import type { JsonObject } from '../types/kubernetes.ts';
import { isJsonObject, objectAt, objectsAt, stringAt, stringsAt } from './shapes.ts';

/** How objects of one kind are addressed. */
export interface ResourceMapping {
  apiVersion: string;
  kind: string;
  /** Plural name in the path, such as `deployments`. */
  resource: string;
  scope: 'Namespaced' | 'Cluster';
  verbs: readonly string[];
  /** Subresources such as `status` and `scale`. */
  subresources: readonly string[];
}

/** Kinds of one group version, by kind. */
export type KindTable = Map<string, ResourceMapping>;

/** What one group serves: versions, the most preferred first, and the kinds of each. */
export interface DiscoveredGroup {
  group: string;
  versions: { version: string; kinds: KindTable }[];
}

/** Accept header for aggregated discovery (KEP-3352); an older server answers with the legacy form. */
export const AGGREGATED_DISCOVERY =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';

/**
 * Reads an `APIGroupDiscoveryList`. A version that is marked `Stale`, because its aggregated server
 * does not answer, is left out unless it still lists resources.
 * @returns undefined when the document is of another kind, that is, the legacy form.
 */
export function readAggregated(document: unknown): DiscoveredGroup[] | undefined {
  if (!isJsonObject(document) || document['kind'] !== 'APIGroupDiscoveryList') return undefined;
  return objectsAt(document, 'items').map((item) => {
    const group = stringAt(objectAt(item, 'metadata'), 'name') ?? '';
    const versions = objectsAt(item, 'versions').flatMap((entry) => {
      const version = stringAt(entry, 'version');
      if (version === undefined) return [];
      return [{ version, kinds: aggregatedKinds(group, version, objectsAt(entry, 'resources')) }];
    });
    return { group, versions };
  });
}

function aggregatedKinds(group: string, version: string, resources: JsonObject[]): KindTable {
  const kinds: KindTable = new Map();
  for (const entry of resources) {
    const resource = stringAt(entry, 'resource');
    const kind = stringAt(objectAt(entry, 'responseKind'), 'kind');
    if (resource === undefined || kind === undefined || kinds.has(kind)) continue;
    kinds.set(kind, {
      apiVersion: group === '' ? version : `${group}/${version}`,
      kind,
      resource,
      scope: entry['scope'] === 'Namespaced' ? 'Namespaced' : 'Cluster',
      verbs: stringsAt(entry, 'verbs'),
      subresources: objectsAt(entry, 'subresources').flatMap(
        (sub) => stringAt(sub, 'subresource') ?? [],
      ),
    });
  }
  return kinds;
}

/** How much is to be kept of groups: their kinds, and a little for each version. */
export function sizeOf(groups: readonly DiscoveredGroup[]): number {
  return groups
    .flatMap(({ versions }) => versions)
    .reduce((sum, { kinds }) => sum + 1 + kinds.size, 0);
}

/** Reads a legacy `APIResourceList` of one group version. */
export function readResourceList(apiVersion: string, document: unknown): KindTable {
  const kinds: KindTable = new Map();
  if (!isJsonObject(document)) return kinds;
  const entries = objectsAt(document, 'resources');
  const subresources = new Map<string, string[]>();
  for (const entry of entries) {
    const [resource, sub] = (stringAt(entry, 'name') ?? '').split('/');
    if (resource === undefined || sub === undefined) continue;
    subresources.set(resource, [...(subresources.get(resource) ?? []), sub]);
  }
  for (const entry of entries) {
    const resource = stringAt(entry, 'name');
    const kind = stringAt(entry, 'kind');
    if (resource === undefined || kind === undefined) continue;
    if (resource.includes('/') || kinds.has(kind)) continue;
    kinds.set(kind, {
      apiVersion,
      kind,
      resource,
      scope: entry['namespaced'] === true ? 'Namespaced' : 'Cluster',
      verbs: stringsAt(entry, 'verbs'),
      subresources: subresources.get(resource) ?? [],
    });
  }
  return kinds;
}

/** The versions in a legacy `APIGroupList` or `APIVersions`, preferred first, by group. */
export function readLegacyGroups(document: unknown): { group: string; versions: string[] }[] {
  if (!isJsonObject(document)) return [];
  if (document['kind'] === 'APIVersions') {
    return [{ group: '', versions: stringsAt(document, 'versions') }];
  }
  return objectsAt(document, 'groups').map((entry) => {
    const preferred = stringAt(objectAt(entry, 'preferredVersion'), 'version');
    const all = objectsAt(entry, 'versions').flatMap((item) => stringAt(item, 'version') ?? []);
    const others = all.filter((version) => version !== preferred);
    return {
      group: stringAt(entry, 'name') ?? '',
      versions: preferred === undefined ? others : [preferred, ...others],
    };
  });
}
