import { invalidMessage } from '../../core/admission/verdict.ts';

/** `metav1.StatusCause`. */
export interface Cause {
  /** `metav1.CauseType`, such as FieldValueInvalid, FieldValueRequired, FieldValueNotSupported. */
  readonly reason: string;
  readonly message: string;
  /** Path as `kubectl explain` takes it, with indices: `spec.stages[0].name`. */
  readonly field?: string;
}

/** `metav1.StatusDetails`. */
export interface Details {
  readonly name?: string;
  readonly group?: string;
  /** The resource (for Invalid, the kind), as API servers have it. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly Cause[];
  readonly retryAfterSeconds?: number;
}

/** A `metav1.Status` of a failure. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: object;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: string;
  readonly details?: Details;
  readonly code: number;
}

/** Group, resource and name of what a failure is about. */
export interface Subject {
  readonly group: string;
  /** Plural, such as `stagesets`. */
  readonly resource: string;
  readonly name: string;
}

/** A failure as an API server answers it. Its message is for the caller to read. */
export class StatusError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Details | undefined;

  constructor(code: number, reason: string, message: string, details?: Details, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StatusError';
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  static badRequest(message: string): StatusError {
    return new StatusError(400, 'BadRequest', message);
  }

  static unauthorized(): StatusError {
    return new StatusError(401, 'Unauthorized', 'Unauthorized');
  }

  /** `why` as an authorizer words it: `User "jane" cannot get resource …`. */
  static forbidden(subject: Subject, why: string): StatusError {
    return new StatusError(
      403,
      'Forbidden',
      `${labelOf(subject)} is forbidden: ${why}`,
      detailsOf(subject),
    );
  }

  static notFound(subject: Subject): StatusError {
    return new StatusError(404, 'NotFound', `${labelOf(subject)} not found`, detailsOf(subject));
  }

  /** A path that nothing is served under. */
  static noSuchPath(): StatusError {
    return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
  }

  static methodNotAllowed(
    message = 'the server does not allow this method on the requested resource',
  ): StatusError {
    return new StatusError(405, 'MethodNotAllowed', message, {});
  }

  /** `accepted` are media types. */
  static notAcceptable(accepted: readonly string[]): StatusError {
    return new StatusError(
      406,
      'NotAcceptable',
      `only the following media types are accepted: ${accepted.join(', ')}`,
    );
  }

  /** The world moved on; `causes` may carry what it is now. */
  static conflict(subject: Subject, why: string, causes: readonly Cause[] = []): StatusError {
    return new StatusError(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${labelOf(subject)}: ${why}`,
      { ...detailsOf(subject), ...(causes.length === 0 ? {} : { causes }) },
    );
  }

  /** What the token or the version pointed at is no longer there. */
  static expired(message: string): StatusError {
    return new StatusError(410, 'Expired', message);
  }

  static requestEntityTooLarge(message: string): StatusError {
    return new StatusError(413, 'RequestEntityTooLarge', message);
  }

  static unsupportedMediaType(accepted: readonly string[]): StatusError {
    return new StatusError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    );
  }

  /** `kind` is that of the body; the causes name its fields. */
  static invalid(
    of: { readonly group: string; readonly kind: string; readonly name: string },
    causes: readonly Cause[],
  ): StatusError {
    const lines = causes.map(({ field, message }) =>
      field === undefined ? message : `${field}: ${message}`,
    );
    return new StatusError(422, 'Invalid', invalidMessage(of, lines), {
      name: of.name,
      group: of.group,
      kind: of.kind,
      causes,
    });
  }

  static tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
    return new StatusError(429, 'TooManyRequests', message, { retryAfterSeconds });
  }

  /** The message must not tell what the cause was, unless the caller may know. */
  static internalError(message: string, cause?: unknown): StatusError {
    return new StatusError(
      500,
      'InternalError',
      `Internal error occurred: ${message}`,
      { causes: [{ reason: 'InternalError', message }] },
      cause,
    );
  }

  static serviceUnavailable(message: string, cause?: unknown): StatusError {
    return new StatusError(503, 'ServiceUnavailable', message, { retryAfterSeconds: 1 }, cause);
  }

  static timeout(message: string): StatusError {
    return new StatusError(504, 'Timeout', message, { retryAfterSeconds: 1 });
  }

  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      reason: this.reason,
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

function labelOf({ group, resource, name }: Subject): string {
  const qualified = group === '' ? resource : `${resource}.${group}`;
  return name === '' ? qualified : `${qualified} ${JSON.stringify(name)}`;
}

function detailsOf({ group, resource, name }: Subject): Details {
  return {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind: resource,
  };
}
