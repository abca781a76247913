import { RetryableError } from '../core/errors.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import type { Circuit } from './api-connection.ts';
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
  /** Characters of the answer. */
  size: number;
}

/** What a page counts for at least: whoever sends small ones must not send them for ever. */
const leastPage = 64 * 1024;

/**
 * The pages of a list, one after the other.
 *
 * @param longest characters of all answers together
 * @param circuit names the server, where it is a stranger's
 * @throws RetryableError with the reason `ResponseTooLarge` when the list goes on behind that.
 */
export async function* pagesOf(
  query: ListQuery,
  { longest, circuit }: { readonly longest: number; readonly circuit?: Circuit | undefined },
  read: (query: PageQuery) => Promise<ListPage>,
): AsyncGenerator<ListPage, void, undefined> {
  let continueToken: string | undefined;
  let size = 0;
  do {
    const page = await read({ ...query, continueToken });
    continueToken = page.continueToken;
    size += Math.max(page.size, leastPage);
    if (size > longest && continueToken !== undefined) {
      const error = new RetryableError(
        `the list of ${query.apiVersion} ${query.kind} is longer than ${longest} bytes`,
        { reason: 'ResponseTooLarge' },
      );
      throw circuit === undefined ? error : circuit.failed(error);
    }
    yield page;
  } while (continueToken !== undefined);
}

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
  size = 0,
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
    size,
  };
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
