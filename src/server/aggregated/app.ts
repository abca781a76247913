import { randomUUID } from 'node:crypto';
import type { RequestListener } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Clock } from '../../core/time.ts';
import type { Logger } from '../../types/log.ts';
import type { OpenApiDocument } from '../../types/open-api.ts';
import { type HealthChecks, healthApp } from '../health.ts';
import { sendDocument, sendFailure } from './answers.ts';
import { Authenticator } from './authentication.ts';
import type { AuthenticationConfigSource } from './authentication-config.ts';
import { Authorizer } from './authorization.ts';
import { discoveryDocuments } from './discovery.ts';
import { Documents } from './documents.ts';
import type { InFlightLimits } from './in-flight.ts';
import { peerCertificates } from './peer.ts';
import { isPretty } from './query-options.ts';
import { type IdentityHeaders, takeIdentityHeaders } from './request-header.ts';
import { type GroupVersion, parseTarget, type Target } from './request-info.ts';
import type { ApiResource } from './resource.ts';
import { ResourceServer } from './resource-server.ts';
import type { Reviewer } from './reviews.ts';
import { StatusError } from './status-error.ts';
import type { VerdictCacheOptions } from './verdict-cache.ts';

export interface AggregatedOptions {
  readonly served: GroupVersion;
  readonly resources: readonly ApiResource[];
  readonly contract: OpenApiDocument;
  readonly authentication: AuthenticationConfigSource;
  readonly review: Reviewer;
  /** Wall clock. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: HealthChecks;
  /** For `/version`, without a `v`. */
  readonly version: string;
  /** Serves `/metrics` to those who may `get` that path. */
  readonly metrics?: RequestListener;
  /** Default: 100 requests that read, 50 that write; of one user a quarter of them. */
  readonly limits?: { readonly reading: InFlightLimits; readonly writing: InFlightLimits };
  readonly cache?: VerdictCacheOptions;
}

const defaultLimits = {
  reading: { most: 100, mostOfOneUser: 25 },
  writing: { most: 50, mostOfOneUser: 12 },
};

/**
 * The aggregated API as an app for a TLS server that asks for client certificates and accepts any:
 * whose they are is found out here. In this order: who asks is taken off the headers; the path is
 * taken apart; health, version and discovery; who asks; what they may; and only then what is there.
 */
export function aggregatedApp(options: AggregatedOptions): Express {
  const pipeline = new Pipeline(options);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(async (request: Request, response: Response, next: NextFunction) => {
    await pipeline.serve(request, response, next);
  });
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else pipeline.fail(error, request, response);
  });
  return app;
}

/** Paths that everybody may ask, and that ask nobody. */
const healthPath = /^\/(healthz|livez|readyz)(\/|$)/;

class Pipeline {
  readonly #options: AggregatedOptions;
  readonly #authenticator: Authenticator;
  readonly #documents: Documents;
  readonly #health: Express;
  readonly #resources: ResourceServer;
  readonly #version: string;

  constructor(options: AggregatedOptions) {
    const { authentication, cache, clock, contract, resources, review, served } = options;
    this.#options = options;
    this.#authenticator = new Authenticator({
      config: authentication,
      review,
      clock,
      ...(cache === undefined ? {} : { cache }),
    });
    this.#documents = new Documents(served, discoveryDocuments(served, resources), contract);
    this.#health = healthApp(options.health);
    this.#resources = new ResourceServer({
      served,
      resources,
      authorizer: new Authorizer(review, cache),
      limits: options.limits ?? defaultLimits,
      metrics: options.metrics,
    });
    this.#version = versionDocument(options.version);
  }

  async serve(request: Request, response: Response, next: NextFunction): Promise<void> {
    const names = this.#options.authentication.current()?.requestHeader?.names;
    const headers = takeIdentityHeaders(request, names);
    begin(request, response);
    const target = parseTarget(request.originalUrl);
    if (healthPath.test(target.path)) {
      this.#health(request, response, next);
      return;
    }
    if (target.path === '/version') {
      demandGet(request, response);
      sendDocument(response, 'application/json', this.#version);
      return;
    }
    if (this.#documents.has(target.path)) {
      await this.#serveDocument(request, response, target, headers);
      return;
    }
    await this.#resources.serve({
      request,
      response,
      target,
      authenticate: async (signal) => await this.#authenticate(request, headers, signal),
    });
  }

  /**
   * What is served is no secret, and kube-apiserver must find it within a second of our start: while
   * nobody can be known yet, everybody may read it. There is no authorization, which would wait.
   */
  async #serveDocument(
    request: Request,
    response: Response,
    { path, query }: Target,
    headers: IdentityHeaders,
  ): Promise<void> {
    if (this.#authenticator.knowsWhomToTrust) {
      await this.#authenticate(request, headers, closeSignal(response));
    }
    this.#documents.send(request, response, path, query);
  }

  async #authenticate(
    request: Request,
    headers: IdentityHeaders,
    signal: AbortSignal,
  ): Promise<NonNullable<Awaited<ReturnType<Authenticator['authenticate']>>>> {
    const caller = await this.#authenticator.authenticate(
      {
        certificates: peerCertificates(request.socket),
        headers,
        authorization: request.headers.authorization,
      },
      signal,
    );
    if (caller === undefined) throw StatusError.unauthorized();
    return caller;
  }

  /** Answers a failure; of what is not meant for callers, only the log gets to know. */
  fail(error: unknown, request: Request, response: Response): void {
    if (response.destroyed) return;
    const known = error instanceof StatusError;
    const fields = {
      error,
      method: request.method,
      path: request.path,
      auditId: response.getHeader('Audit-ID'),
    };
    if (!known) this.#options.logger.error('request failed', fields);
    else if (error.code >= 500) this.#options.logger.warn('request could not be answered', fields);
    const failure = known
      ? error
      : StatusError.internalError('the server failed to answer; its log says why');
    sendFailure(response, failure, request.headers.accept, wantsPretty(request.originalUrl));
  }
}

function wantsPretty(url: string): boolean {
  const start = url.indexOf('?');
  return start !== -1 && isPretty(new URLSearchParams(url.slice(start + 1)));
}

/** Headers that every answer has. */
function begin(request: Request, response: Response): void {
  const given = request.headers['audit-id'];
  const usable = typeof given === 'string' && /^[A-Za-z0-9-]{1,64}$/.test(given);
  response.setHeader('Audit-ID', usable ? given : randomUUID());
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-cache, private');
}

function demandGet(request: Request, response: Response): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  response.setHeader('Allow', 'GET, HEAD');
  throw StatusError.methodNotAllowed();
}

const discoveryTimeout = 10_000;

/** Fires when the caller goes away, or has waited long enough for a document. */
function closeSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller went away')));
  return AbortSignal.any([gone.signal, AbortSignal.timeout(discoveryTimeout)]);
}

/** `version.Info`. Fields that only a Go program has stay empty. */
function versionDocument(version: string): string {
  const [major = '0', minor = '0'] = version.split('.');
  const info = {
    major,
    minor,
    gitVersion: `v${version}`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '',
    goVersion: '',
    compiler: 'node',
    platform: `${process.platform}/${process.arch}`,
  };
  return `${JSON.stringify(info)}\n`;
}
