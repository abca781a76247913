import { isSubdomain } from '../../core/validate/object-meta.ts';
import { StatusError } from './status-error.ts';

/** What a path of our group names. Names are as in the path, not yet looked up. */
export interface ResourceInfo {
  readonly kind: 'Resource';
  /** Undefined asks for all namespaces. */
  readonly namespace: string | undefined;
  readonly resource: string;
  /** Empty where there is none. */
  readonly subresource: string;
  /** Undefined asks for the collection. */
  readonly name: string | undefined;
}

/** Any other path, such as `/version`. */
interface PathInfo {
  readonly kind: 'Path';
  readonly path: string;
}

export type RequestInfo = ResourceInfo | PathInfo;

/** Group and version that are served, as in `/apis/<group>/<version>`. */
export interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

const longestUrl = 8 * 1024;
const longestPath = 2 * 1024;

/** All that a path of ours consists of; with a `%` it could mean something else to somebody else. */
const plainPath = /^\/[A-Za-z0-9._:/-]*$/;

/** Path and query of a request's target, taken apart once, so that nobody reads it differently. */
export interface Target {
  readonly path: string;
  readonly query: URLSearchParams;
}

/**
 * Takes a request's target apart. What different readers take for different paths is refused and
 * never repaired: dot segments, empty segments, path parameters, encoded characters, absolute URLs.
 * No name in Kubernetes needs any of them.
 *
 * @throws StatusError 400
 */
export function parseTarget(url: string): Target {
  if (url.length > longestUrl) throw refused('it is too long');
  const start = url.indexOf('?');
  const path = start === -1 ? url : url.slice(0, start);
  if (path.length > longestPath) throw refused('it is too long');
  if (!plainPath.test(path)) {
    throw refused('it must begin with "/" and be of letters, digits, "-", ".", "_", ":" and "/"');
  }
  const segments = path.split('/').slice(1);
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    throw refused('it must not have "." or ".." as a segment');
  }
  // One slash may end a path, as in `/apis/`.
  if (segments.slice(0, -1).includes('')) throw refused('it must not have empty segments');
  const query = start === -1 ? '' : url.slice(start + 1);
  return { path, query: new URLSearchParams(query) };
}

/**
 * What a path stands for, as kube-apiserver's RequestInfo has it.
 * @param path one that {@link parseTarget} let pass
 */
export function requestInfo(path: string, { group, version }: GroupVersion): RequestInfo {
  const prefix = `/apis/${group}/${version}/`;
  const other: PathInfo = { kind: 'Path', path };
  if (!path.startsWith(prefix)) return other;
  const segments = path.slice(prefix.length).split('/');
  if (segments.includes('')) return other;
  const [first, namespace, ...rest] = segments;
  const isNamespaced = first === 'namespaces' && rest.length > 0;
  const [resource, name, subresource = '', ...more] = isNamespaced ? rest : segments;
  if (resource === undefined || resource === 'namespaces' || more.length > 0) return other;
  return {
    kind: 'Resource',
    namespace: isNamespaced ? namespace : undefined,
    resource,
    subresource,
    name,
  };
}

const verbsOfOne: ReadonlyMap<string, string> = new Map([
  ['GET', 'get'],
  ['HEAD', 'get'],
  ['POST', 'create'],
  ['PUT', 'update'],
  ['PATCH', 'patch'],
  ['DELETE', 'delete'],
]);

/** The RBAC verb of a method; undefined for a method that RBAC has no verb for. */
export function verbOf(method: string, info: ResourceInfo): string | undefined {
  const verb = verbsOfOne.get(method);
  if (info.name !== undefined) return verb;
  if (verb === 'get') return 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

/** Whether an object of this name in this namespace can exist at all. */
export function canExist({ namespace, name }: ResourceInfo): boolean {
  const nameFits = name === undefined || isSubdomain(name);
  const namespaceFits =
    namespace === undefined || (namespace.length <= 63 && label.test(namespace));
  return nameFits && namespaceFits;
}

function refused(why: string): StatusError {
  return StatusError.badRequest(`the path of the request is not taken: ${why}`);
}
