import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import type { OpenApiDocument } from '../../types/open-api.ts';
import { sendDocument } from './answers.ts';
import { type AggregatedVersion, aggregatedType, type DiscoveryDocuments } from './discovery.ts';
import { type MediaRange, parseAccept } from './media-type.ts';
import { toOpenApiV2 } from './open-api-v2.ts';
import type { GroupVersion } from './request-info.ts';
import { StatusError } from './status-error.ts';

/** A text that is the same for everybody as long as the process runs. */
interface FixedText {
  readonly type: string;
  readonly body: string;
  /** In quotes (RFC 9110 8.8.3). */
  readonly etag: string;
}

const oneYear = 365 * 24 * 60 * 60;

/**
 * Everything that clients find the API by: discovery and OpenAPI. Written once, when the process
 * starts, so that serving it waits for nothing: a slow answer would make kube-apiserver take the
 * whole group for unavailable, and hold up the deletion of namespaces.
 */
export class Documents {
  readonly #plain: ReadonlyMap<string, FixedText>;
  readonly #aggregated: ReadonlyMap<AggregatedVersion, FixedText>;
  /** `/openapi/v3/apis/<group>/<version>`. */
  readonly #contractPath: string;
  readonly #contract: FixedText;
  readonly #contractHash: string;

  constructor(
    { group, version }: GroupVersion,
    discovery: DiscoveryDocuments,
    contract: OpenApiDocument,
  ) {
    const json = (document: object): FixedText => fixed('application/json', document);
    this.#contractPath = `/openapi/v3/apis/${group}/${version}`;
    this.#contract = json(contract);
    this.#contractHash = hashOf(this.#contract.body);
    const serverRelativeURL = `${this.#contractPath}?hash=${this.#contractHash}`;
    this.#plain = new Map([
      ['/apis', json(discovery.groupList)],
      [`/apis/${group}`, json(discovery.group)],
      [`/apis/${group}/${version}`, json(discovery.resourceList)],
      ['/openapi/v2', json(toOpenApiV2(contract))],
      ['/openapi/v3', json({ paths: { [`apis/${group}/${version}`]: { serverRelativeURL } } })],
    ]);
    this.#aggregated = new Map(
      (['v2', 'v2beta1'] as const).map((known) => [
        known,
        fixed(aggregatedType(known), discovery.aggregated(known)),
      ]),
    );
  }

  /** Whether this is the path of a document; one slash may end it. */
  has(path: string): boolean {
    const plain = withoutSlash(path);
    return this.#plain.has(plain) || plain === this.#contractPath;
  }

  /**
   * Sends the document at a path that {@link has} knows.
   * @throws StatusError 405, 406
   */
  send(request: Request, response: Response, path: string, query: URLSearchParams): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      throw StatusError.methodNotAllowed();
    }
    const accepted = parseAccept(request.headers.accept);
    response.setHeader('Vary', 'Accept');
    const plainPath = withoutSlash(path);
    if (plainPath === this.#contractPath) {
      this.#sendContract(request, response, accepted, query.get('hash'));
      return;
    }
    const text = plainPath === '/apis' ? this.#groups(accepted) : this.#plain.get(plainPath);
    if (text === undefined) throw StatusError.noSuchPath();
    if (text.type === 'application/json') demandJson(accepted);
    sendFixed(request, response, text);
  }

  /** The form of `/apis` that the caller likes best. */
  #groups(accepted: readonly MediaRange[]): FixedText | undefined {
    for (const { type, parameters } of accepted) {
      const view = parameters.get('as') ?? '';
      if (view === '') {
        if (isJson(type)) break;
        continue;
      }
      const exact =
        type === 'application/json' &&
        view === 'APIGroupDiscoveryList' &&
        parameters.get('g') === 'apidiscovery.k8s.io';
      const known = exact ? this.#aggregatedOf(parameters.get('v')) : undefined;
      if (known !== undefined) return known;
    }
    return this.#plain.get('/apis');
  }

  #aggregatedOf(version: string | undefined): FixedText | undefined {
    return version === 'v2' || version === 'v2beta1' ? this.#aggregated.get(version) : undefined;
  }

  #sendContract(
    request: Request,
    response: Response,
    accepted: readonly MediaRange[],
    hash: string | null,
  ): void {
    demandJson(accepted);
    if (hash !== null && hash !== '') {
      if (hash !== this.#contractHash) {
        // The caller knows an older contract; it must not keep this one under that name.
        response.status(301);
        response.setHeader('Location', `${this.#contractPath}?hash=${this.#contractHash}`);
        response.end();
        return;
      }
      response.setHeader('Cache-Control', `public, max-age=${oneYear}, immutable`);
    }
    sendFixed(request, response, this.#contract);
  }
}

function sendFixed(request: Request, response: Response, { type, body, etag }: FixedText): void {
  response.setHeader('ETag', etag);
  const known = request.headers['if-none-match'];
  if (known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) === true) {
    response.status(304).end();
    return;
  }
  sendDocument(response, type, body);
}

function demandJson(accepted: readonly MediaRange[]): void {
  const isTaken = accepted.some(
    ({ type, parameters }) => isJson(type) && (parameters.get('as') ?? '') === '',
  );
  if (!isTaken) throw StatusError.notAcceptable(['application/json']);
}

function isJson(type: string): boolean {
  return ['application/json', 'application/*', '*/*'].includes(type);
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function fixed(type: string, document: object): FixedText {
  const body = `${JSON.stringify(document)}\n`;
  return { type, body, etag: `"${hashOf(body)}"` };
}

/** SHA-512 as upper-case hex, as upstream. */
function hashOf(text: string): string {
  return createHash('sha512').update(text, 'utf8').digest('hex').toUpperCase();
}
