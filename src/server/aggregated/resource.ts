import type { Table } from './table.ts';

/** Who asks, as SubjectAccessReview takes it. */
export interface Caller {
  readonly user: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** One request that is authenticated, authorized, and valid by the contract. */
export interface ApiRequest {
  readonly caller: Caller;
  /** Undefined asks for all namespaces. */
  readonly namespace: string | undefined;
  /** Undefined asks for the collection. */
  readonly name: string | undefined;
  /** Not looked at but for what holds of every request, such as `dryRun`. */
  readonly query: URLSearchParams;
  /**
   * Undefined for GET. Else the object, valid by the contract, with apiVersion, kind,
   * metadata.name and metadata.namespace filled in; a merge patch is merged into an empty object.
   */
  readonly body: unknown;
  /** Check everything, record nothing. */
  readonly dryRun: boolean;
  /** Aborts at the deadline of the request, and when the caller goes away. */
  readonly signal: AbortSignal;
  /**
   * Whether the caller has one more verb on this same object, such as `override`.
   * @throws StatusError when nobody can tell; let it pass on.
   */
  readonly may: (verb: string) => Promise<boolean>;
  /**
   * Whether the caller may read a Secret of the namespace.
   * @throws StatusError when nobody can tell; let it pass on.
   */
  readonly mayGetSecret: (name: string) => Promise<boolean>;
}

export interface ApiAnswer {
  /** Default 201 for create, else 200. */
  readonly code?: number;
  /** As JSON would have it, apiVersion and kind included. */
  readonly object: object;
  /** Plain text that is sent instead, for a caller who asked for it with `output=text`. */
  readonly text?: string;
  /** Sent in place of the object to callers who ask for a Table; default is one of names and ages. */
  readonly table?: Table;
  /** One `Warning` header each. */
  readonly warnings?: readonly string[];
}

/** @throws StatusError for an answer that is a failure; anything else is answered as InternalError. */
export type Handler = (request: ApiRequest) => Promise<ApiAnswer>;

/** One resource or subresource of the group, and the verbs that it has. */
export interface ApiResource {
  /** `stageplans`, or `stagesets/plan` for a subresource. */
  readonly name: string;
  readonly kind: string;
  /** Empty for a subresource. */
  readonly singularName: string;
  readonly namespaced: true;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly handlers: {
    readonly get?: Handler;
    readonly list?: Handler;
    readonly create?: Handler;
    readonly update?: Handler;
    readonly patch?: Handler;
  };
}
