import type { JsonObject, KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { ApiConnection } from './api-connection.ts';
import { ApiError, isGone, isNotFound } from './api-error.ts';
import { judged, parseBody, readObject, referenceOf } from './bodies.ts';
import { Discovery, type DiscoveryOptions, noLongerServed } from './discovery.ts';
import type { ResourceMapping } from './discovery-documents.ts';
import type { Answer } from './exchange.ts';
import type { Identity } from './identity.ts';
import type { RequestLimit } from './in-flight-limit.ts';
import {
  acceptFor,
  type ListPage,
  type ListQuery,
  type PageQuery,
  pagesOf,
  readPage,
} from './lists.ts';
import { queryString } from './paths.ts';
import { collectionPath, holdsSecrets, objectPath, requiredNamespace } from './resource-paths.ts';
import {
  type ApiRequest,
  type CallOptions,
  Transport,
  type TransportOptions,
} from './transport.ts';
import { type WatchEvent, type WatchQuery, watch } from './watch.ts';
import {
  type ApplyOptions,
  type CreateOptions,
  type DeleteOptions,
  type DeleteOutcome,
  deleteBody,
  deleteOutcome,
  PATCH_CONTENT_TYPES,
  type Patch,
  type RawRequest,
  type ReadOptions,
  type ReplaceOptions,
  rawApiRequest,
  writeQuery,
} from './writes.ts';

export interface ClientOptions extends TransportOptions {
  discovery?: DiscoveryOptions;
}

/** How often a paged list is begun anew when its continue token expires. */
const LIST_RESTARTS = 3;

/**
 * Kubernetes objects of any kind as plain JSON: nothing is dropped, converted or defaulted on the
 * way in or out. Every method throws ApiError for an error answer, RetryableError when there was no
 * answer, TerminalError for a request that cannot be made, and the abort reason.
 */
export class KubernetesClient {
  readonly discovery: Discovery;
  readonly #transport: Transport;

  private constructor(transport: Transport, discovery: Discovery) {
    this.#transport = transport;
    this.discovery = discovery;
  }

  /** A client with the connection's own identity unless another one is given. */
  static connect(
    connection: ApiConnection,
    options: ClientOptions = {},
    identity: Identity = { kind: 'Own' },
  ): KubernetesClient {
    const transport = new Transport(connection, identity, options);
    return new KubernetesClient(transport, new Discovery(transport, options.discovery));
  }

  /** The namespace of the kubeconfig's context, or of the pod. */
  get namespace(): string | undefined {
    return this.#transport.connection.namespace;
  }

  /**
   * A client that is a tenant: it sends the provider's token and no other credential, on connections
   * without client certificate (part A 9.2). On a 401 `onUnauthorized` is told the refused token,
   * the provider is asked again, and the call is repeated once. Discovery stays ours.
   */
  withToken(
    provider: (signal: AbortSignal) => Promise<string>,
    onUnauthorized: (token: string) => void,
  ): KubernetesClient {
    return this.#as({ kind: 'Token', provider, onUnauthorized });
  }

  /** A client that acts as `user` by impersonation headers: for remote clusters only (part A 9.3). */
  impersonating(user: string): KubernetesClient {
    const { identity } = this.#transport;
    return this.#as(
      identity.kind === 'Token' ? { ...identity, user } : { kind: 'Impersonated', user },
    );
  }

  /**
   * The same client with a limit of its own, which its tenants share: its requests wait for none of
   * the others, and none of the others for them. Discovery stays ours.
   */
  withLimit(limit: RequestLimit): KubernetesClient {
    return new KubernetesClient(this.#transport.withLimit(limit), this.discovery);
  }

  #as(identity: Identity): KubernetesClient {
    return new KubernetesClient(this.#transport.as(identity), this.discovery);
  }

  /** The object as it is in the cluster now. */
  async get(
    reference: ObjectReference,
    call: CallOptions,
    options: ReadOptions = {},
  ): Promise<KubernetesObject> {
    const mapping = await this.#mappingOf(reference, call);
    const query = queryString({ resourceVersion: options.resourceVersion });
    const path = objectPath(mapping, reference, options.subresource) + query;
    const accept = acceptFor('One', options.as ?? 'Object');
    const request: ApiRequest = { method: 'GET', path, accept, idempotence: 'Idempotent' };
    const object = readObject(await this.#send(request, mapping, call), reference);
    return options.as === 'Metadata'
      ? { ...object, apiVersion: reference.apiVersion, kind: reference.kind }
      : object;
  }

  /** As `get`, but undefined when there is no such object. An unserved kind is still an error. */
  async find(
    reference: ObjectReference,
    call: CallOptions,
    options: ReadOptions = {},
  ): Promise<KubernetesObject | undefined> {
    try {
      return await this.get(reference, call, options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /**
   * The pages of a list, 500 objects each unless told otherwise. Each item has its apiVersion and
   * kind filled in, which API servers leave out.
   * @throws ApiError with `isGone` when the pages took so long that the snapshot expired.
   */
  pages(query: ListQuery, call: CallOptions): AsyncIterable<ListPage> {
    const { longestList: longest, connection } = this.#transport;
    const { circuit } = connection;
    return pagesOf(query, { longest, circuit }, (next) => this.page(next, call));
  }

  /** One page: the first, or the one that `continueToken` leads to. Throws as `pages` does. */
  async page(query: PageQuery, call: CallOptions): Promise<ListPage> {
    const { continueToken } = query;
    const mapping = await this.#mapping(query, call);
    const parameters = queryString({
      labelSelector: query.labelSelector,
      fieldSelector: query.fieldSelector,
      limit: String(query.pageSize ?? 500),
      continue: continueToken,
      resourceVersion: continueToken === undefined ? query.resourceVersion : undefined,
    });
    const path = collectionPath(mapping, query.namespace);
    const accept = acceptFor('List', query.as ?? 'Object');
    const request = { method: 'GET', path: path + parameters, accept } as const;
    const answer = await this.#send({ ...request, idempotence: 'Idempotent' }, mapping, call);
    const { length } = answer.body;
    return judged(answer, () => readPage(parseBody(answer, path), query, length));
  }

  /** All pages together; begun anew when the snapshot expires half way. */
  async list(
    query: ListQuery,
    call: CallOptions,
  ): Promise<{ items: KubernetesObject[]; resourceVersion: string }> {
    for (let restarts = 0; ; restarts += 1) {
      try {
        const items: KubernetesObject[] = [];
        let resourceVersion = '';
        for await (const page of this.pages(query, call)) {
          for (const item of page.items) items.push(item);
          resourceVersion = page.resourceVersion;
        }
        return { items, resourceVersion };
      } catch (error) {
        if (!isGone(error) || restarts >= LIST_RESTARTS) throw error;
      }
    }
  }

  /**
   * Server-side apply (KEP-555). The object is sent as it is.
   * @throws ApiError with `isConflict` when another manager owns a field and `force` is not set.
   */
  async apply(
    object: KubernetesObject,
    options: ApplyOptions,
    call: CallOptions,
  ): Promise<KubernetesObject> {
    const reference = referenceOf(object);
    return this.#write('PATCH', reference, call, {
      subresource: options.subresource,
      query: writeQuery(options) + (options.force === true ? '&force=true' : ''),
      contentType: 'application/apply-patch+yaml',
      body: object,
      idempotence: 'Idempotent',
    });
  }

  /** A JSON merge patch (RFC 7386), JSON patch (RFC 6902) or strategic merge patch. */
  async patch(
    reference: ObjectReference,
    patch: Patch,
    call: CallOptions,
  ): Promise<KubernetesObject> {
    return this.#write('PATCH', reference, call, {
      subresource: patch.subresource,
      query: writeQuery(patch),
      contentType: PATCH_CONTENT_TYPES[patch.type],
      body: patch.body,
      // A merge patch says what the result is; a JSON patch may append to a list twice.
      idempotence: patch.type === 'Merge' ? 'Idempotent' : 'Once',
    });
  }

  /** @throws ApiError with `isAlreadyExists`. */
  async create(
    object: KubernetesObject,
    options: CreateOptions,
    call: CallOptions,
  ): Promise<KubernetesObject> {
    const reference = referenceOf(object);
    const mapping = await this.#mappingOf(reference, call);
    const path = collectionPath(mapping, requiredNamespace(mapping, reference));
    const answer = await this.#send(
      {
        method: 'POST',
        path: path + writeQuery(options),
        body: JSON.stringify(object),
        contentType: 'application/json',
        idempotence: options.dryRun === undefined ? 'Once' : 'Idempotent',
        sensitive: holdsSecrets(mapping),
      },
      mapping,
      call,
    );
    return readObject(answer, reference);
  }

  /** @throws ApiError with `isConflict` when `metadata.resourceVersion` is no longer current. */
  async replace(
    object: KubernetesObject,
    options: ReplaceOptions,
    call: CallOptions,
  ): Promise<KubernetesObject> {
    return this.#write('PUT', referenceOf(object), call, {
      subresource: options.subresource,
      query: writeQuery(options),
      contentType: 'application/json',
      body: object,
      idempotence: 'Once',
    });
  }

  /**
   * Deletes one object.
   * @returns `Deleted` when it is gone, `Terminating` while finalizers or its grace period hold it,
   *   `NotFound` when there was none.
   * @throws ApiError with `isConflict` when a precondition does not hold.
   */
  async delete(
    reference: ObjectReference,
    options: DeleteOptions,
    call: CallOptions,
  ): Promise<DeleteOutcome> {
    const mapping = await this.#mappingOf(reference, call);
    const request: ApiRequest = {
      method: 'DELETE',
      path: objectPath(mapping, reference),
      body: JSON.stringify(deleteBody(options)),
      contentType: 'application/json',
      // Without the uid a repeat could hit an object that was created anew in between.
      idempotence: options.preconditions?.uid === undefined ? 'Once' : 'Idempotent',
    };
    try {
      return deleteOutcome(parseBody(await this.#send(request, mapping, call), request.path));
    } catch (error) {
      if (isNotFound(error)) return 'NotFound';
      throw error;
    }
  }

  /** POST to a subresource such as `token` or `eviction`; the answer is whatever that returns. */
  async createSubresource(
    reference: ObjectReference,
    subresource: string,
    body: JsonObject,
    call: CallOptions,
  ): Promise<JsonObject> {
    const mapping = await this.#mappingOf(reference, call);
    const path = objectPath(mapping, reference, subresource);
    const answer = await this.#send(
      {
        method: 'POST',
        path,
        body: JSON.stringify(body),
        contentType: 'application/json',
        idempotence: 'Once',
      },
      mapping,
      call,
    );
    return parseBody(answer, path);
  }

  /**
   * Changes after `resourceVersion`, until the server ends the watch after 5 to 10 minutes.
   * @throws ApiError with `isGone` when the resourceVersion is too old; RetryableError when the
   *   connection breaks or is silent for too long. See `Reflector` for the loop around it.
   */
  async *watch(query: WatchQuery, call: CallOptions): AsyncGenerator<WatchEvent, void, undefined> {
    const mapping = await this.#mapping(query, call);
    try {
      yield* watch(this.#transport, collectionPath(mapping, query.namespace), query, call.signal);
    } catch (error) {
      throw this.#unservedIfUnknownPath(error, mapping);
    }
  }

  /** Any other request to the API server; the answer's JSON, or its text when it is none. */
  async raw(request: RawRequest, call: CallOptions): Promise<unknown> {
    const answer = await this.#transport.send(rawApiRequest(request), call);
    const type = answer.headers['content-type'] ?? '';
    return type.includes('json') ? JSON.parse(answer.body) : answer.body;
  }

  async #write(
    method: 'PATCH' | 'PUT',
    reference: ObjectReference,
    call: CallOptions,
    write: {
      subresource: string | undefined;
      query: string;
      contentType: string;
      body: unknown;
      idempotence: ApiRequest['idempotence'];
    },
  ): Promise<KubernetesObject> {
    const mapping = await this.#mappingOf(reference, call);
    const answer = await this.#send(
      {
        method,
        path: objectPath(mapping, reference, write.subresource) + write.query,
        body: JSON.stringify(write.body),
        contentType: write.contentType,
        idempotence: write.idempotence,
        sensitive: holdsSecrets(mapping),
      },
      mapping,
      call,
    );
    return readObject(answer, reference);
  }

  #mapping(
    of: { apiVersion: string; kind: string },
    call: CallOptions,
  ): ResourceMapping | Promise<ResourceMapping> {
    return this.discovery.mappingFor(of.apiVersion, of.kind, call);
  }

  /** The mapping for one object, whose namespace must go with the kind's scope. */
  async #mappingOf(reference: ObjectReference, call: CallOptions): Promise<ResourceMapping> {
    const mapping = await this.#mapping(reference, call);
    return mapping.scope === 'Namespaced' && reference.namespace === undefined
      ? this.discovery.confirm(mapping, call)
      : mapping;
  }

  async #send(request: ApiRequest, mapping: ResourceMapping, call: CallOptions): Promise<Answer> {
    try {
      return await this.#transport.send(request, call);
    } catch (error) {
      throw this.#unservedIfUnknownPath(error, mapping);
    }
  }

  /** A 404 that is no Status comes from the router: the kind is no longer served as we knew it. */
  #unservedIfUnknownPath(error: unknown, mapping: ResourceMapping): unknown {
    if (!(error instanceof ApiError) || error.code !== 404 || error.reason !== '') return error;
    this.discovery.forget(mapping);
    return noLongerServed(mapping);
  }
}
