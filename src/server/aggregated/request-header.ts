import type { IncomingMessage } from 'node:http';
import type { Caller } from './resource.ts';

/** Names of the headers that the front proxy says in who asks; in lower case. */
export interface RequestHeaderNames {
  readonly user: readonly string[];
  readonly uid: readonly string[];
  readonly group: readonly string[];
  readonly extraPrefixes: readonly string[];
}

/** Headers that say who asks, taken off a request: name in lower case, value as it came. */
export type IdentityHeaders = readonly (readonly [name: string, value: string])[];

/**
 * Whatever a front proxy or an impersonating client says about who asks, also where it is not
 * configured: nothing behind this point shall ever see it.
 */
const alwaysTaken = ['x-remote-', 'impersonate-'];

/**
 * Takes the identity headers off a request, in every spelling and number, so that nobody who reads
 * the request later can believe them. Call it before anything else reads headers.
 */
export function takeIdentityHeaders(
  request: IncomingMessage,
  names: RequestHeaderNames | undefined,
): IdentityHeaders {
  // Node makes both of the raw headers when they are first read: before those change.
  const { headers, headersDistinct } = request;
  const taken: [string, string][] = [];
  const kept: string[] = [];
  // Names and values take turns.
  for (let at = 0; at + 1 < request.rawHeaders.length; at += 2) {
    const [spelled = '', value = ''] = request.rawHeaders.slice(at, at + 2);
    const name = spelled.toLowerCase();
    if (isIdentity(name, names)) taken.push([name, value]);
    else kept.push(spelled, value);
  }
  request.rawHeaders = kept;
  for (const [name] of taken) {
    Reflect.deleteProperty(headers, name);
    Reflect.deleteProperty(headersDistinct, name);
  }
  return taken;
}

function isIdentity(name: string, names: RequestHeaderNames | undefined): boolean {
  return (
    alwaysTaken.some((prefix) => name.startsWith(prefix)) ||
    (names !== undefined &&
      ([...names.user, ...names.uid, ...names.group].includes(name) ||
        names.extraPrefixes.some((prefix) => name.startsWith(prefix))))
  );
}

/**
 * Who asks, by the headers of a proxy that has proved to be one. Undefined when they name nobody,
 * or two users, which no proxy does.
 */
export function callerFromHeaders(
  headers: IdentityHeaders,
  names: RequestHeaderNames,
): Caller | undefined {
  const user = single(firstOf(headers, names.user));
  if (user === undefined) return undefined;
  const uids = firstOf(headers, names.uid);
  const uid = single(uids);
  if (uid === undefined && uids.length > 0) return undefined;
  return {
    user,
    ...(uid === undefined ? {} : { uid }),
    groups: names.group.flatMap((name) => valuesOf(headers, name)),
    extra: extraOf(headers, names.extraPrefixes),
  };
}

/** Values of the first of these headers that is there. */
function firstOf(headers: IdentityHeaders, names: readonly string[]): string[] {
  return names.map((name) => valuesOf(headers, name)).find((values) => values.length > 0) ?? [];
}

function valuesOf(headers: IdentityHeaders, name: string): string[] {
  return headers.flatMap(([given, value]) => (given === name && value !== '' ? [value] : []));
}

function single(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined;
}

/** Keys are percent-decoded and in lower case (`unescapeExtraKey` upstream). */
function extraOf(headers: IdentityHeaders, prefixes: readonly string[]): Record<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const prefix = prefixes.find((candidate) => name.startsWith(candidate));
    if (prefix === undefined) continue;
    const key = decoded(name.slice(prefix.length));
    extra.set(key, [...(extra.get(key) ?? []), value]);
  }
  return Object.fromEntries(extra);
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key).toLowerCase();
  } catch {
    return key; // As upstream: what is no encoding stands for itself.
  }
}
