import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import { immutabilityIn, onlyImmutableFields } from '../core/objects/immutability.ts';
import { type Duration, seconds } from '../core/time.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import { isJsonObject, objectAt, objectsAt, stringAt } from './shapes.ts';

/** `metav1.StatusCause`: one field that the server objects to. */
export interface StatusCause {
  field?: string;
  reason?: string;
  message?: string;
}

/** `metav1.StatusDetails`, as far as it names the object. */
export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
}

export interface ApiErrorFields {
  /** HTTP status. */
  code: number;
  /** `metav1.StatusReason`, such as `NotFound`; empty when the body was no Status. */
  reason: string;
  message: string;
  details?: StatusDetails;
  causes?: readonly StatusCause[];
  retryAfter?: Duration | undefined;
  /** Method and path without the query, for messages. */
  request?: string;
  /** Set for an error of etcd, which the server only hands on. */
  isStorageFault?: boolean;
}

/** The API server answered, and the answer is an error. `metav1.Status` carries the particulars. */
export class ApiError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails;
  readonly causes: readonly StatusCause[];
  /** How long the server asked us to stay away, milliseconds. */
  readonly retryAfter: Duration | undefined;
  readonly request: string | undefined;
  /** Whether etcd failed, or did not answer: nobody knows whether a write was carried out. */
  readonly isStorageFault: boolean;

  constructor(fields: ApiErrorFields) {
    super(fields.message);
    this.name = 'ApiError';
    this.code = fields.code;
    this.reason = fields.reason;
    this.details = fields.details ?? {};
    this.causes = fields.causes ?? [];
    this.retryAfter = fields.retryAfter;
    this.request = fields.request;
    this.isStorageFault = fields.isStorageFault === true;
  }
}

/** Reason of our own for a kind that the server does not serve; never sent by a server. */
export const NO_KIND_MATCH = 'NoKindMatch';

/** Reason of our own for an answer of a server that was not ready to give one. */
export const SERVER_NOT_READY = 'ServerNotReady';

export interface ErrorAnswer {
  status: number;
  /** Response body as text. */
  body: string;
  /** Value of the Retry-After header, when it was sent. */
  retryAfter?: string | undefined;
  request: string;
  /** Set when the message might quote field values that are secret. */
  sensitive?: boolean;
}

/** Longest plain-text error body that is put into a message. */
const EXCERPT = 512;

/** Longest body that is read as a Status. A remote cluster may say megabytes, which errors would keep. */
const longestStatus = 1024 * 1024;

/** The ApiError that an answer with a status of 400 or more stands for. */
export function errorFromAnswer(answer: ErrorAnswer): ApiError {
  const status = answer.body.length > longestStatus ? undefined : parseStatus(answer.body);
  const retryAfter = retryAfterOf(answer.retryAfter, status);
  const common = { code: answer.status, retryAfter, request: answer.request };
  if (status === undefined) {
    const all = answer.body.slice(0, longestStatus).trim();
    // Where it is cut, its end must not be taken for the end of what was said.
    const text = all.length > EXCERPT ? `${all.slice(0, EXCERPT)}...` : all;
    const said = answer.sensitive === true || text === '' ? 'no explanation' : text;
    return new ApiError({
      ...common,
      reason: '',
      message: `${answer.request}: the API server answered ${answer.status}: ${said}`,
    });
  }
  return errorFromStatus(status, common, answer.sensitive === true ? 'Withhold' : 'Quote');
}

/** The ApiError in a `metav1.Status` object, as a watch delivers it in an ERROR event. */
export function errorFromStatus(
  status: { [key: string]: unknown },
  common: { code?: number; retryAfter?: Duration | undefined; request?: string } = {},
  values: 'Quote' | 'Withhold' = 'Quote',
): ApiError {
  const details = objectAt(status, 'details');
  const reason = stringAt(status, 'reason') ?? '';
  const causes = objectsAt(details, 'causes').map((cause) => causeFrom(cause, values));
  const code = typeof status['code'] === 'number' ? status['code'] : (common.code ?? 500);
  const fields = causes.flatMap((cause) => cause.field ?? []).join(', ');
  const withheld = `the API server answered ${code} ${reason}; its message is withheld because it may quote secret values (fields: ${fields === '' ? 'none named' : fields})`;
  return new ApiError({
    code,
    reason,
    message:
      values === 'Withhold'
        ? (rbacDenial(status) ?? withheld)
        : (stringAt(status, 'message') ?? `the API server answered ${code} ${reason}`),
    details: pickDetails(details),
    causes,
    retryAfter: common.retryAfter ?? retryAfterOf(undefined, status),
    isStorageFault: code === 500 && STORAGE_FAULT.test(stringAt(status, 'message') ?? ''),
    ...(common.request === undefined ? {} : { request: common.request }),
  });
}

/** What etcd's client says, as an API server repeats it; a webhook that failed is told otherwise. */
const STORAGE_FAULT =
  /^(?:Internal error occurred: )?(?:etcdserver: |rpc error: code = |context (?:deadline exceeded|canceled)$)/;

const RBAC_DENIAL =
  /^\S+(?: "[^"]*")? is forbidden: User "[^"]*" cannot \S+ resource "[^"]*" in API group "[^"]*"(?: in the namespace "[^"]*"| at the cluster scope)?/;

/** The RBAC authorizer's message about who may not do what: it has names in it, and no field values. */
function rbacDenial(status: { [key: string]: unknown }): string | undefined {
  if (stringAt(status, 'reason') !== 'Forbidden') return undefined;
  return RBAC_DENIAL.exec(stringAt(status, 'message') ?? '')?.[0];
}

function causeFrom(cause: { [key: string]: unknown }, values: 'Quote' | 'Withhold'): StatusCause {
  const field = stringAt(cause, 'field');
  const reason = stringAt(cause, 'reason');
  const said = stringAt(cause, 'message');
  // That a field cannot change is said in fixed words, after the value.
  const message = values === 'Quote' ? said : immutabilityIn(said ?? '');
  return {
    ...(field === undefined ? {} : { field }),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  };
}

function pickDetails(details: { [key: string]: unknown }): StatusDetails {
  const picked: StatusDetails = {};
  for (const field of ['name', 'group', 'kind', 'uid'] as const) {
    const value = stringAt(details, field);
    if (value !== undefined) picked[field] = value;
  }
  return picked;
}

function parseStatus(body: string): { [key: string]: unknown } | undefined {
  if (!body.startsWith('{')) return undefined;
  try {
    const parsed: unknown = JSON.parse(body);
    return isJsonObject(parsed) && parsed['kind'] === 'Status' ? parsed : undefined;
  } catch {
    return undefined; // A proxy in between may answer with anything; the text is quoted instead.
  }
}

/** RFC 9110 allows seconds and a date; API servers send seconds. A date is taken as one second. */
function retryAfterOf(
  header: string | undefined,
  status: { [key: string]: unknown } | undefined,
): Duration | undefined {
  if (header !== undefined) {
    const wait = Number(header);
    return seconds(Number.isFinite(wait) && wait >= 0 ? wait : 1);
  }
  const inBody =
    status === undefined ? undefined : objectAt(status, 'details')['retryAfterSeconds'];
  return typeof inBody === 'number' && inBody > 0 ? seconds(inBody) : undefined;
}

function hasReason(error: unknown, code: number, ...reasons: string[]): boolean {
  return (
    error instanceof ApiError &&
    (error.reason === '' ? error.code === code : reasons.includes(error.reason))
  );
}

/** The object does not exist. An unserved kind is not this: see `isNoKindMatch`. */
export function isNotFound(error: unknown): boolean {
  return hasReason(error, 404, 'NotFound');
}

/** The server does not serve this kind (yet): a CRD may be missing. */
export function isNoKindMatch(error: unknown): boolean {
  return error instanceof ApiError && error.reason === NO_KIND_MATCH;
}

/** Somebody else changed the object, owns the field, or a precondition failed. */
export function isConflict(error: unknown): boolean {
  return hasReason(error, 409, 'Conflict');
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === 'AlreadyExists';
}

export function isForbidden(error: unknown): boolean {
  return hasReason(error, 403, 'Forbidden');
}

/** The object is not valid, or not as a change of the one that is there. */
export function isInvalid(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === 422;
}

/** The only thing wrong with a change is that it is one: see `onlyImmutableFields`. */
export function isImmutableChange(error: unknown): boolean {
  return isInvalid(error) && onlyImmutableFields(error.causes, error.message);
}

/** The credentials were not accepted: expired, revoked, or the ServiceAccount is gone. */
export function isUnauthorized(error: unknown): boolean {
  return hasReason(error, 401, 'Unauthorized');
}

/** The resourceVersion or continue token is too old: list again from the start. */
export function isGone(error: unknown): boolean {
  return hasReason(error, 410, 'Gone', 'Expired');
}

/** Why there was no answer of an API server, or none that counts. */
export type NoAnswer = 'ConnectionFailed' | 'Timeout' | typeof SERVER_NOT_READY;

/** Whether the reason of an error is that there was no answer. */
export function isNoAnswer(reason: string | undefined): reason is NoAnswer {
  return reason === 'ConnectionFailed' || reason === 'Timeout' || reason === SERVER_NOT_READY;
}

/**
 * Why there was no answer of the API server at all, after all repeats: undefined when there was one.
 * Whatever wraps that error is looked through.
 */
export function noAnswer(error: unknown): NoAnswer | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof RetryableError)) continue;
    if (isNoAnswer(cause.reason)) return cause.reason;
  }
  return undefined;
}

/** Whether the server, its etcd, or what stands before it turned everybody away. */
export function isTurnedAway(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.isStorageFault || [429, 502, 503, 504].includes(error.code);
}

/** Whether a server has said more than is read of one answer, list or watch. */
export function isTooLarge(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof RetryableError && cause.reason === 'ResponseTooLarge') return true;
  }
  return false;
}

/** What a Forbidden message says: who may not do what to which resource. */
export interface Denial {
  identity?: string;
  verb?: string;
  resource?: string;
  group?: string;
  namespace?: string;
}

const DENIAL =
  /User "(?<identity>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]*)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]*)")?/;

/** Reads identity, verb and resource out of the RBAC authorizer's message, as far as it has them. */
export function denialOf(error: ApiError): Denial {
  const groups = DENIAL.exec(error.message)?.groups ?? {};
  const denial: Denial = {};
  for (const part of ['identity', 'verb', 'resource', 'group', 'namespace'] as const) {
    const value = groups[part];
    if (value !== undefined && value !== '') denial[part] = value;
  }
  return denial;
}

/**
 * The error class that says what to do about an API error (part A 2.9): 403 is denied and an
 * unserved kind is terminal; all else, 422, 409 and 404 included, may pass on another attempt.
 * Errors that are no ApiError come back unchanged.
 */
export function treatmentOf(error: unknown, object?: ObjectReference): unknown {
  if (!(error instanceof ApiError)) return error;
  const details = { cause: error, ...(object === undefined ? {} : { object }) };
  if (isForbidden(error)) {
    return new DeniedError(error.message, { ...details, reason: 'RBACDenied' });
  }
  // Part A 1.7 counts a kind that the server does not know among what the identity may not do.
  if (isNoKindMatch(error)) {
    return new TerminalError(error.message, { ...details, reason: 'RBACDenied' });
  }
  return new RetryableError(error.message, {
    ...details,
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
  });
}
