import type { RequestListener } from 'node:http';
import type { Request, Response } from 'express';
import { untilAborted } from '../../kubernetes/wait.ts';
import { type Reading, sendAnswer } from './answers.ts';
import type { Authorizer, ResourceAttributes } from './authorization.ts';
import { readBody } from './body.ts';
import { compileSchema, isInContract } from './contract.ts';
import { InFlight, type InFlightLimits } from './in-flight.ts';
import { formOf } from './media-type.ts';
import {
  includeObjectOf,
  isDryRun,
  isPretty,
  isWatch,
  outputOf,
  timeoutOf,
} from './query-options.ts';
import {
  canExist,
  type GroupVersion,
  type ResourceInfo,
  requestInfo,
  type Target,
  verbOf,
} from './request-info.ts';
import type { ApiAnswer, ApiRequest, ApiResource, Caller, Handler } from './resource.ts';
import { StatusError } from './status-error.ts';

export interface ResourceServerOptions {
  readonly served: GroupVersion;
  readonly resources: readonly ApiResource[];
  readonly authorizer: Authorizer;
  readonly limits: { readonly reading: InFlightLimits; readonly writing: InFlightLimits };
  readonly metrics: RequestListener | undefined;
}

/** One request whose sender is yet to be found out. */
export interface Arrival {
  readonly request: Request;
  readonly response: Response;
  readonly target: Target;
  /** @throws StatusError 401 */
  readonly authenticate: (signal: AbortSignal) => Promise<Caller>;
}

type Verb = keyof ApiResource['handlers'];

const methodOfVerb: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'GET',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
};

/** Serves the resources of the group: bounds, asks for rights, and then hands over to a handler. */
export class ResourceServer {
  readonly #options: ResourceServerOptions;
  readonly #resources: ReadonlyMap<string, ApiResource>;
  readonly #reading: InFlight;
  readonly #writing: InFlight;

  /** @throws Error for a resource that takes bodies of a kind that the contract does not have */
  constructor(options: ResourceServerOptions) {
    this.#options = options;
    this.#resources = new Map(options.resources.map((resource) => [resource.name, resource]));
    this.#reading = new InFlight(options.limits.reading);
    this.#writing = new InFlight(options.limits.writing);
    for (const { name, kind, handlers } of options.resources) {
      const takesBodies = handlers.create ?? handlers.update ?? handlers.patch;
      if (takesBodies === undefined) continue;
      if (!isInContract(kind)) {
        throw new Error(`resource ${name}: the contract has no kind ${kind}`);
      }
      compileSchema(kind);
    }
  }

  /** @throws StatusError and whatever a handler throws */
  async serve(arrival: Arrival): Promise<void> {
    const { request, response, target } = arrival;
    const deadline = AbortSignal.timeout(timeoutOf(target.query));
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the caller went away')));
    const signal = AbortSignal.any([deadline, gone.signal]);
    try {
      const caller = await arrival.authenticate(signal);
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      const leave = (isRead ? this.#reading : this.#writing).enter(caller.user);
      const work = this.#serveCaller(arrival, caller, signal);
      // Work that goes on although nobody waits for it any more still counts, and so does an answer
      // that nobody reads: it is kept in memory until it is.
      const end = (): void => whenSent(response, leave);
      work.then(end, end);
      await untilAborted(work, signal);
    } catch (error) {
      if (deadline.aborted && !(error instanceof StatusError)) {
        throw StatusError.timeout('the server did not complete its answer within the timeout');
      }
      throw error;
    }
  }

  async #serveCaller(arrival: Arrival, caller: Caller, signal: AbortSignal): Promise<void> {
    const { request, target } = arrival;
    const info = requestInfo(target.path, this.#options.served);
    if (info.kind === 'Path') {
      await this.#servePath(arrival, caller, signal);
      return;
    }
    const verb = verbOf(request.method, info);
    if (verb === undefined) throw this.#methodNotAllowed(arrival, info);
    const attributes = this.#attributes(info, verb);
    // Before anything is looked up: who may not ask shall not learn what is there.
    await this.#options.authorizer.demand(caller, attributes, signal);
    const { resource, handler } = this.#handlerOf(arrival, info, verb);
    const reading = readingOf(request, target.query);
    const { body, warnings } = await this.#bodyOf(arrival, info, resource, signal);
    const asked: ApiRequest = {
      caller,
      namespace: info.namespace,
      name: info.name,
      query: target.query,
      body,
      dryRun: body !== undefined && isDryRun(target.query),
      signal,
      may: async (more) =>
        await this.#options.authorizer.allows(caller, { ...attributes, verb: more }, signal),
      mayGetSecret: async (name) =>
        await this.#options.authorizer.allows(caller, secret(info.namespace, name), signal),
    };
    const answer = await handler(asked);
    // Else somebody has been told already that it took too long.
    signal.throwIfAborted();
    sendAnswer(arrival.response, withWarnings(answer, warnings), verb, reading);
  }

  /** Any other path, as RBAC knows it: `get` on `/metrics`. */
  async #servePath(
    { request, response, target }: Arrival,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<void> {
    const verb = request.method.toLowerCase();
    await this.#options.authorizer.demand(
      caller,
      { kind: 'Path', verb, path: target.path },
      signal,
    );
    const { metrics } = this.#options;
    if (target.path !== '/metrics' || metrics === undefined) throw StatusError.noSuchPath();
    metrics(request, response);
  }

  #attributes(info: ResourceInfo, verb: string): ResourceAttributes {
    const { group, version } = this.#options.served;
    const { resource, subresource, namespace = '', name = '' } = info;
    return { kind: 'Resource', verb, group, version, resource, subresource, namespace, name };
  }

  #handlerOf(
    arrival: Arrival,
    info: ResourceInfo,
    verb: string,
  ): { resource: ApiResource; handler: Handler } {
    const resource = this.#resources.get(nameOf(info));
    if (resource === undefined) throw StatusError.noSuchPath();
    // Resources are namespaced: one object is in a namespace, a collection may be in all of them.
    if (info.name !== undefined && info.namespace === undefined) throw StatusError.noSuchPath();
    if (!canExist(info)) {
      const { group } = this.#options.served;
      throw StatusError.notFound({ group, resource: info.resource, name: info.name ?? '' });
    }
    const handler = isVerb(verb) ? resource.handlers[verb] : undefined;
    if (handler === undefined) throw this.#methodNotAllowed(arrival, info);
    if (isWatch(arrival.target.query)) throw watchNotAllowed(arrival);
    return { resource, handler };
  }

  async #bodyOf(
    { request, target }: Arrival,
    info: ResourceInfo,
    resource: ApiResource,
    signal: AbortSignal,
  ): Promise<{ body: unknown; warnings: readonly string[] }> {
    if (request.method === 'GET' || request.method === 'HEAD') {
      return { body: undefined, warnings: [] };
    }
    isDryRun(target.query);
    const { group, version } = this.#options.served;
    const expected = {
      apiVersion: `${group}/${version}`,
      group,
      kind: resource.kind,
      namespace: info.namespace,
      name: info.name ?? '',
    };
    const { object, warnings } = await readBody(request, target.query, expected, signal);
    return { body: object, warnings };
  }

  #methodNotAllowed({ response }: Arrival, info: ResourceInfo): StatusError {
    const handlers = this.#resources.get(nameOf(info))?.handlers ?? {};
    const verbs = Object.keys(methodOfVerb).filter(isVerb);
    const allowed = verbs.filter(
      (verb) => handlers[verb] !== undefined && (verb === 'list') === (info.name === undefined),
    );
    response.setHeader('Allow', allowed.map((verb) => methodOfVerb[verb]).join(', '));
    return StatusError.methodNotAllowed();
  }
}

/** An answer has been sent, or will never be. */
function whenSent(response: Response, act: () => void): void {
  if (response.writableFinished || response.closed) act();
  else response.once('close', act);
}

function secret(namespace = '', name: string): ResourceAttributes {
  const core = { group: '', version: 'v1', resource: 'secrets', subresource: '' };
  return { kind: 'Resource', verb: 'get', ...core, namespace, name };
}

function nameOf({ resource, subresource }: ResourceInfo): string {
  return subresource === '' ? resource : `${resource}/${subresource}`;
}

function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(methodOfVerb, verb);
}

function readingOf(request: Request, query: URLSearchParams): Reading {
  return {
    form: formOf(request.headers.accept, outputOf(query)),
    pretty: isPretty(query),
    includeObject: includeObjectOf(query),
  };
}

function withWarnings(answer: ApiAnswer, warnings: readonly string[]): ApiAnswer {
  return { ...answer, warnings: [...warnings, ...(answer.warnings ?? [])] };
}

function watchNotAllowed({ response }: Arrival): StatusError {
  response.setHeader('Allow', 'GET');
  return StatusError.methodNotAllowed(
    'this resource cannot be watched: it is computed when it is asked for. To follow what happens, ' +
      'watch stageruns.stages.metio.wtf or stagesets.stages.metio.wtf',
  );
}
