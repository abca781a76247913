import { TerminalError } from '../core/errors.ts';
import type { ObjectReference } from '../types/kubernetes.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export interface GroupVersion {
  /** Empty for the core group. */
  group: string;
  version: string;
}

/**
 * Splits an apiVersion.
 * @throws TerminalError when it is not `version` or `group/version` with DNS names: it becomes part
 *   of a path, and comes from manifests of strangers.
 */
export function parseApiVersion(apiVersion: string): GroupVersion {
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const version = apiVersion.slice(slash + 1);
  const groupIsValid = slash < 0 || (group.length <= 253 && SUBDOMAIN.test(group));
  if (!groupIsValid || version.length > 63 || !LABEL.test(version)) {
    throw new TerminalError(
      `"${apiVersion.slice(0, 100)}" is no apiVersion: it must read like v1 or apps/v1`,
    );
  }
  return { group, version };
}

/** `/api/v1` or `/apis/<group>/<version>`. */
export function groupVersionPath({ group, version }: GroupVersion): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/**
 * One escaped segment of a path.
 * @throws TerminalError for what the API server refuses as a name too: empty, `.`, `..`, or with a
 *   slash or percent sign.
 */
export function segment(value: string, what: string, object?: ObjectReference): string {
  if (
    value === '' ||
    value === '.' ||
    value === '..' ||
    /[/%]/.test(value) ||
    value.length > 1024
  ) {
    throw new TerminalError(
      `"${value.slice(0, 100)}" cannot be a ${what}: it must not be empty, ".", "..", nor have "/" or "%" in it`,
      object === undefined ? {} : { object },
    );
  }
  return encodeURIComponent(value);
}

/** `?a=1&b=2` out of the parameters that are set, or nothing. */
export function queryString(parameters: Readonly<Record<string, string | undefined>>): string {
  let query = '';
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined || value === '') continue;
    query += `${query === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return query;
}

/** `apps/v1 Deployment shop/web`, for messages. */
export function describeReference(reference: ObjectReference): string {
  const name =
    reference.namespace === undefined ? reference.name : `${reference.namespace}/${reference.name}`;
  return `${reference.apiVersion} ${reference.kind} ${name}`;
}
