import { expect } from 'chai';
import {
  causedBy,
  during,
  failureOf,
  isInterruption,
  OperationError,
} from '../../../src/controller/failure.ts';
import { DeniedError, RetryableError, TerminalError } from '../../../src/core/errors.ts';
import {
  ApiError,
  isForbidden,
  NO_KIND_MATCH,
  SERVER_NOT_READY,
} from '../../../src/kubernetes/api-error.ts';

function apiError(code: number, reason = '', retryAfter?: number): ApiError {
  const message = `the server says ${code}`;
  const error = new ApiError({ code, reason, message });
  return retryAfter === undefined ? error : Object.assign(error, { retryAfter });
}

describe('the failure of an operation', () => {
  const cases: [string, unknown, object][] = [
    [
      'is denied, and checked every minute',
      new DeniedError('no'),
      { reason: 'RBACDenied', message: 'no', retry: 'Minute' },
    ],
    [
      'is denied by a 403 of the API server',
      apiError(403, 'Forbidden'),
      { reason: 'RBACDenied', message: 'the server says 403', retry: 'Minute' },
    ],
    [
      'is of the kind that the server does not serve',
      apiError(404, NO_KIND_MATCH),
      { reason: 'RBACDenied', message: 'the server says 404', retry: 'Minute' },
    ],
    [
      'waits for a repair, and is checked every minute',
      new TerminalError('no'),
      { reason: 'StageFailed', message: 'no', retry: 'Minute' },
    ],
    [
      'has the reason that the error names',
      new TerminalError('no', { reason: 'InvalidSpec' }),
      { reason: 'InvalidSpec', message: 'no', retry: 'Minute' },
    ],
    [
      'is tried again with backoff when it may pass',
      new RetryableError('no'),
      { reason: 'StageFailed', message: 'no', retry: 'Backoff' },
    ],
    [
      'is tried again when the other side wants it',
      new RetryableError('no', { retryAfter: 5000 }),
      { reason: 'StageFailed', message: 'no', retry: 'Backoff', retryAfter: 5000 },
    ],
    [
      'is tried again after any other answer of the API server',
      apiError(422, 'Invalid'),
      { reason: 'StageFailed', message: 'the server says 422', retry: 'Backoff' },
    ],
    [
      'is tried again when nobody knows what it was',
      new TypeError('x is not a function'),
      { reason: 'StageFailed', message: 'x is not a function', retry: 'Backoff' },
    ],
    [
      'says what was thrown when that is no error',
      'no',
      { reason: 'StageFailed', message: 'no', retry: 'Backoff' },
    ],
  ];
  for (const [title, error, failure] of cases) {
    it(title, () => {
      expect(failureOf('apply', error)).to.deep.equal({ operation: 'apply', ...failure });
    });
  }

  it('is of the operation that the error names, treated as what it wraps', () => {
    const error = new OperationError('fetch artifact', new DeniedError('no'));
    expect(failureOf('build', error)).to.deep.equal({
      reason: 'RBACDenied',
      operation: 'fetch artifact',
      message: 'no',
      retry: 'Minute',
    });
  });
});

describe('an interruption', () => {
  const unreachable = new RetryableError('no', { reason: 'ConnectionFailed' });

  it('is a server that does not answer, or turns everybody away', () => {
    const timeout = new RetryableError('no', { reason: 'Timeout' });
    for (const error of [
      unreachable,
      timeout,
      ...[429, 502, 503, 504].map((code) => apiError(code)),
    ])
      expect(isInterruption(error), error.message).to.equal(true);
  });

  it('is an error of etcd, and what a server says before it is ready', () => {
    const message = 'etcdserver: request timed out';
    const storage = new ApiError({ code: 500, reason: '', message, isStorageFault: true });
    const cause = apiError(403, 'Forbidden');
    const unready = new RetryableError('not ready', { reason: SERVER_NOT_READY, cause });
    for (const error of [storage, unready, new RetryableError('no', { cause: unready })]) {
      expect(isInterruption(error), error.message).to.equal(true);
    }
  });

  it('is seen through what wraps it', () => {
    const wrapped = new RetryableError('Deployment/team/web: no', { cause: apiError(503) });
    expect(isInterruption(wrapped)).to.equal(true);
    expect(isInterruption(new OperationError('apply', wrapped))).to.equal(true);
    expect(isInterruption(new Error('no', { cause: unreachable }))).to.equal(true);
  });

  it('is no answer about the objects themselves', () => {
    for (const code of [400, 401, 403, 404, 409, 410, 413, 422, 500]) {
      expect(isInterruption(apiError(code)), String(code)).to.equal(false);
    }
  });

  it('is nothing that another server did, nor an error of ours', () => {
    const source = new RetryableError('no', { reason: 'StageFailed', cause: unreachable });
    for (const error of [source, new TerminalError('no'), new Error('no'), 'no', undefined]) {
      expect(isInterruption(error)).to.equal(false);
    }
  });
});

describe('what an error wraps', () => {
  it('is found at any depth', () => {
    const denied = apiError(403, 'Forbidden');
    const wrapped = new OperationError('prune', new DeniedError('no', { cause: denied }));
    expect(causedBy(wrapped, isForbidden)).to.equal(true);
    expect(causedBy(new OperationError('prune', 'no'), isForbidden)).to.equal(false);
    expect(causedBy(undefined, isForbidden)).to.equal(false);
  });
});

describe('an operation', () => {
  it('returns what its work does', async () => {
    expect(await during('build', Promise.resolve(7))).to.equal(7);
  });

  it('gives its name to the error that ends it', async () => {
    const cause = new Error('no');
    const thrown = await thrownBy(during('build', Promise.reject(cause)));
    expect(thrown).to.be.instanceOf(OperationError);
    expect(thrown).to.include({ operation: 'build', message: 'no', cause });
  });

  it('leaves the name of an operation inside it', async () => {
    const inner = new OperationError('fetch artifact', 'no');
    expect(await thrownBy(during('build', Promise.reject(inner)))).to.equal(inner);
  });
});

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
