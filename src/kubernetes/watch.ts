import { RetryableError } from '../core/errors.ts';
import { type Duration, seconds } from '../core/time.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { ApiError, errorFromAnswer, errorFromStatus } from './api-error.ts';
import type { Random } from './backoff.ts';
import { withoutQuery } from './exchange.ts';
import { acceptFor, identified, type ListQuery } from './lists.ts';
import { queryString } from './paths.ts';
import { isJsonObject, objectAt, stringAt } from './shapes.ts';
import { type ApiRequest, isConnectionFailure, type Transport } from './transport.ts';
import { LineStream } from './watch-stream.ts';

export interface WatchQuery extends ListQuery {
  /** The place to watch from: of a list, or of the last event. */
  resourceVersion: string;
  /**
   * Silence after which the connection counts as dead. Default 150 s: an API server sends a bookmark
   * about every minute, and up to a quarter later.
   */
  inactivityTimeout?: Duration;
  random?: Random;
  /** Told when the server has accepted the watch; on a quiet kind that is long before an event. */
  onOpen?: () => void;
}

export type WatchEvent =
  | { type: 'Added' | 'Modified' | 'Deleted'; object: KubernetesObject }
  /** Nothing changed up to this resourceVersion. */
  | { type: 'Bookmark'; resourceVersion: string };

/** Default of `inactivityTimeout`. */
const WATCH_INACTIVITY = seconds(150);

/** Twice what etcd stores as one object by default, and room for the event around it. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** Of a remote cluster only metadata is watched, and there may be hundreds of watches on it. */
const MAX_REMOTE_LINE_BYTES = 2 * 1024 * 1024;

const EVENT_TYPES = new Map([
  ['ADDED', 'Added'],
  ['MODIFIED', 'Modified'],
  ['DELETED', 'Deleted'],
] as const);

/**
 * One watch request: its events until the server ends it, which it does after 5 to 10 minutes (a
 * random time, so that watches do not come back together). Reading faster than the caller handles
 * is held back.
 * @throws ApiError for an error answer or ERROR event; RetryableError with reason `WatchInactive` or
 *   `ConnectionFailed`; the abort reason.
 */
export async function* watch(
  transport: Transport,
  collection: string,
  query: WatchQuery,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, undefined> {
  const random = query.random ?? Math.random;
  const parameters = queryString({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: query.resourceVersion,
    timeoutSeconds: String(Math.floor(300 + 300 * random())),
    labelSelector: query.labelSelector,
    fieldSelector: query.fieldSelector,
  });
  const request: ApiRequest = {
    method: 'GET',
    path: collection + parameters,
    accept: acceptFor('One', query.as ?? 'Object'),
    idempotence: 'Idempotent',
  };
  const described = `GET ${withoutQuery(collection)} (watch)`;
  const foreign = transport.connection.secrets !== undefined;
  const about: AboutWatch = { described, quoting: foreign ? 'Withhold' : 'Quote' };
  const { dispatcher, options, token } = await transport.openStream(request, signal);
  const stream = new LineStream(
    dispatcher,
    options,
    {
      inactivity: query.inactivityTimeout ?? WATCH_INACTIVITY,
      maxLineBytes: foreign ? MAX_REMOTE_LINE_BYTES : MAX_LINE_BYTES,
    },
    signal,
    {
      open: () => query.onOpen?.(),
      refuse: (status, body, retryAfter) =>
        errorFromAnswer({
          status,
          body: transport.withoutSecrets(body, token),
          retryAfter,
          request: described,
        }),
    },
  );
  try {
    for (;;) {
      const lines = await stream.next();
      if (lines === undefined) return;
      for (const line of lines) yield readEvent(line, query, about);
    }
  } catch (error) {
    if (!signal.aborted) transport.connection.doubt?.noticed(watchFailure(described, error));
    // The next watch finds new credentials.
    if (error instanceof ApiError && error.code === 401) await transport.renew(token);
    throw watchFailure(described, error);
  } finally {
    stream.close();
  }
}

function watchFailure(described: string, error: unknown): unknown {
  if (!isConnectionFailure(error) || !(error instanceof Error)) return error;
  return new RetryableError(`${described}: ${error.message}`, {
    reason: 'ConnectionFailed',
    cause: error,
  });
}

/** What is said of a watch, and whether its server may be quoted. */
interface AboutWatch {
  readonly described: string;
  readonly quoting: 'Quote' | 'Withhold';
}

function readEvent(
  line: string,
  query: WatchQuery,
  { described, quoting }: AboutWatch,
): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (cause) {
    throw new RetryableError(`${described}: an event is not JSON`, { cause });
  }
  if (!isJsonObject(event)) throw new RetryableError(`${described}: an event is no JSON object`);
  const object = objectAt(event, 'object');
  const type = stringAt(event, 'type') ?? '';
  if (type === 'ERROR') throw errorFromStatus(object, { request: described }, quoting);
  if (type === 'BOOKMARK') {
    const resourceVersion = stringAt(objectAt(object, 'metadata'), 'resourceVersion');
    return { type: 'Bookmark', resourceVersion: resourceVersion ?? query.resourceVersion };
  }
  const known = knownType(type);
  if (known === undefined) {
    throw new RetryableError(`${described}: the event type "${type.slice(0, 40)}" is unknown`);
  }
  return { type: known, object: identified(object, query) };
}

function knownType(type: string): 'Added' | 'Modified' | 'Deleted' | undefined {
  for (const [wire, ours] of EVENT_TYPES) if (wire === type) return ours;
  return undefined;
}
