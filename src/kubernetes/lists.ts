import { RetryableError } from '../core/errors.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import { isJsonObject, isKubernetesObject, objectAt, stringAt } from './shapes.ts';

/** How much of each object is read: all of it, or its metadata only (`PartialObjectMetadata`). */
export type Extent = 'Object' | 'Metadata';

/** Which objects to list or watch. Without a namespace: those of all namespaces. */
export interface ListQuery {
  apiVersion: string;
  kind: string;
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** Objects per page. Default 500. */
  pageSize?: number;
  as?: Extent;
  /** As the API server takes it: unset for the newest state, `0` for any state. */
  resourceVersion?: string;
}

/** Which page of a list. */
export interface PageQuery extends ListQuery {
  /** From the page before; undefined for the first one. */
  continueToken?: string | undefined;
}

export interface ListPage {
  items: KubernetesObject[];
  /** Of the whole list: the place to watch from. */
  resourceVersion: string;
  /** Set when there are more pages. */
  continueToken: string | undefined;
  /** Objects on the pages after this one, where the API server counts them. */
  remaining: number | undefined;
  /** What the page counts for the bound of its list; an empty one is not for nothing. */
  bytes: number;
}

/** Bytes. */
const smallestPage = 4096;

const ACCEPT = {
  Object: { One: 'application/json', List: 'application/json' },
  Metadata: {
    One: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
    List: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
  },
} as const;

/** The Accept header for one object (or a watch), or for a list. */
export function acceptFor(shape: 'One' | 'List', extent: Extent): string {
  return ACCEPT[extent][shape];
}

/**
 * Reads one page. Items get the apiVersion and kind that were asked for: API servers leave them out
 * of lists, and name `PartialObjectMetadata` when only metadata was asked for.
 * @throws RetryableError when the answer is no list.
 */
export function readPage(
  body: JsonObject,
  query: { apiVersion: string; kind: string },
  bytes: number,
): ListPage {
  const { items } = body;
  // Go writes an empty list as null in some old and aggregated servers.
  const entries: unknown[] = Array.isArray(items) ? items : [];
  if (!Array.isArray(items) && items !== null) {
    throw new RetryableError(
      `The list of ${query.apiVersion} ${query.kind} has no items: the API server's answer is no list`,
    );
  }
  const metadata = objectAt(body, 'metadata');
  const remaining = metadata['remainingItemCount'];
  return {
    items: entries.map((item) => identified(item, query)),
    resourceVersion: stringAt(metadata, 'resourceVersion') ?? '',
    continueToken: stringAt(metadata, 'continue'),
    remaining: typeof remaining === 'number' ? remaining : undefined,
    bytes: Math.max(bytes, smallestPage),
  };
}

/** @throws RetryableError for a list that is longer than it may be. */
export function refuseLongList(bytes: number, most: number, { kind }: ListQuery): void {
  if (bytes <= most) return;
  throw new RetryableError(
    `the list of ${kind} is longer than ${most} bytes, which is more than is read of this server`,
    { reason: 'ResponseTooLarge' },
  );
}

/**
 * The object with apiVersion and kind in front, as every object outside a list has them.
 * @throws RetryableError when it has no name.
 */
export function identified(
  item: unknown,
  query: { apiVersion: string; kind: string },
): KubernetesObject {
  if (isJsonObject(item)) {
    const object: unknown = { ...item, apiVersion: query.apiVersion, kind: query.kind };
    if (isKubernetesObject(object)) return object;
  }
  throw new RetryableError(
    `An item in the list of ${query.apiVersion} ${query.kind} has no metadata.name`,
  );
}
