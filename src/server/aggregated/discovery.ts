import type { GroupVersion } from './request-info.ts';
import type { ApiResource } from './resource.ts';

/** The documents by which clients find what is served. They never change while the process runs. */
export interface DiscoveryDocuments {
  /** For `/apis`. */
  readonly groupList: object;
  /** For `/apis/<group>`. */
  readonly group: object;
  /** For `/apis/<group>/<version>`. */
  readonly resourceList: object;
  /** For `/apis` to those who ask for it by its exact media type: see {@link aggregatedTypes}. */
  aggregated(version: AggregatedVersion): object;
}

/** Versions of apidiscovery.k8s.io. */
export type AggregatedVersion = 'v2' | 'v2beta1';

/**
 * The exact media type of an APIGroupDiscoveryList. A client that gets another one takes the answer
 * for a legacy one without groups, and namespaces then stick (kubernetes/kubernetes 119662).
 */
export function aggregatedType(version: AggregatedVersion): string {
  return `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
}

export function discoveryDocuments(
  served: GroupVersion,
  resources: readonly ApiResource[],
): DiscoveryDocuments {
  const group = groupOf(served);
  return {
    groupList: { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] },
    group: { kind: 'APIGroup', apiVersion: 'v1', ...group },
    resourceList: {
      kind: 'APIResourceList',
      apiVersion: 'v1',
      groupVersion: `${served.group}/${served.version}`,
      resources: resources.map(resourceOf),
    },
    aggregated: (version) => ({
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${version}`,
      metadata: {},
      items: [
        {
          metadata: { name: served.group, creationTimestamp: null },
          versions: [
            {
              version: served.version,
              resources: aggregatedResources(served, resources),
              freshness: 'Current',
            },
          ],
        },
      ],
    }),
  };
}

function groupOf({ group, version }: GroupVersion): object {
  const entry = { groupVersion: `${group}/${version}`, version };
  return { name: group, versions: [entry], preferredVersion: entry };
}

function resourceOf(resource: ApiResource): object {
  return {
    name: resource.name,
    singularName: resource.singularName,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: verbsOf(resource),
    ...namesOf(resource),
  };
}

function aggregatedResources(
  { group, version }: GroupVersion,
  resources: readonly ApiResource[],
): object[] {
  const responseKind = ({ kind }: ApiResource): object => ({ group, version, kind });
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => {
      const subresources = resources
        .filter(({ name }) => name.startsWith(`${resource.name}/`))
        .map((subresource) => ({
          subresource: subresource.name.slice(resource.name.length + 1),
          responseKind: responseKind(subresource),
          verbs: verbsOf(subresource),
        }));
      return {
        resource: resource.name,
        responseKind: responseKind(resource),
        scope: 'Namespaced',
        singularResource: resource.singularName,
        verbs: verbsOf(resource),
        ...namesOf(resource),
        ...(subresources.length === 0 ? {} : { subresources }),
      };
    });
}

function verbsOf({ handlers }: ApiResource): string[] {
  return Object.entries(handlers as Record<string, unknown>)
    .flatMap(([verb, handler]) => (handler === undefined ? [] : [verb]))
    .sort();
}

function namesOf({ shortNames, categories }: ApiResource): object {
  return {
    ...(shortNames === undefined ? {} : { shortNames }),
    ...(categories === undefined ? {} : { categories }),
  };
}
