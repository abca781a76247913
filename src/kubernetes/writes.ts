import type { JsonObject } from '../types/kubernetes.ts';
import type { Method } from './exchange.ts';
import type { Extent } from './lists.ts';
import { queryString } from './paths.ts';
import { objectAt, stringAt } from './shapes.ts';
import type { ApiRequest } from './transport.ts';

export interface ReadOptions {
  as?: Extent;
  subresource?: string;
  /** `0` allows an answer from the server's cache. */
  resourceVersion?: string;
}

/** `All`: the server goes through with it up to admission and validation, but stores nothing. */
type DryRun = 'All';

export interface CreateOptions {
  fieldManager?: string;
  dryRun?: DryRun;
  /** What the server does about unknown and duplicate fields. Its default is Warn. */
  fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
}

export interface ReplaceOptions extends CreateOptions {
  subresource?: string;
}

export interface ApplyOptions extends CreateOptions {
  fieldManager: string;
  /** Take fields over from other managers. Without it they are a Conflict. */
  force?: boolean;
  subresource?: string;
}

export interface Patch extends CreateOptions {
  type: 'Merge' | 'Json' | 'Strategic';
  body: unknown;
  subresource?: string;
}

export const PATCH_CONTENT_TYPES = {
  Merge: 'application/merge-patch+json',
  Json: 'application/json-patch+json',
  Strategic: 'application/strategic-merge-patch+json',
} as const;

export interface DeleteOptions {
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  preconditions?: { uid?: string; resourceVersion?: string };
  gracePeriodSeconds?: number;
  dryRun?: DryRun;
}

export type DeleteOutcome = 'Deleted' | 'Terminating' | 'NotFound';

export interface RawRequest {
  method: Method;
  /** Path without query, escaped, such as `/version`. */
  path: string;
  query?: Record<string, string | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  contentType?: string;
  accept?: string;
  headers?: Record<string, string>;
}

/** The query parameters that all writes share. It always has the `?`. */
export function writeQuery(options: CreateOptions): string {
  const query = queryString({
    fieldManager: options.fieldManager,
    dryRun: options.dryRun,
    fieldValidation: options.fieldValidation,
  });
  return query === '' ? '?' : query;
}

/** `metav1.DeleteOptions`. */
export function deleteBody(options: DeleteOptions): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(options.propagationPolicy === undefined
      ? {}
      : { propagationPolicy: options.propagationPolicy }),
    ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
    ...(options.gracePeriodSeconds === undefined
      ? {}
      : { gracePeriodSeconds: options.gracePeriodSeconds }),
    ...(options.dryRun === undefined ? {} : { dryRun: [options.dryRun] }),
  };
}

/** A server answers a deletion with a Status when it is done, else with the object that remains. */
export function deleteOutcome(body: JsonObject): DeleteOutcome {
  if (body['kind'] === 'Status') return 'Deleted';
  const terminating = stringAt(objectAt(body, 'metadata'), 'deletionTimestamp') !== undefined;
  return terminating ? 'Terminating' : 'Deleted';
}

/** The request as the transport takes it; a body is sent as JSON. */
export function rawApiRequest(request: RawRequest): ApiRequest {
  const { method, path, query = {}, headers, accept, body } = request;
  const contentType = request.contentType ?? 'application/json';
  return {
    method,
    path: path + queryString(query),
    idempotence: method === 'GET' ? 'Idempotent' : 'Once',
    ...(headers === undefined ? {} : { headers }),
    ...(accept === undefined ? {} : { accept }),
    ...(body === undefined ? {} : { body: JSON.stringify(body), contentType }),
  };
}
