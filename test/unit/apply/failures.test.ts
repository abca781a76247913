import { expect } from 'chai';
import { combinedFailure, objectFailure } from '../../../src/apply/failures.ts';
import { NotBegun } from '../../../src/apply/in-flight.ts';
import { DeniedError, RetryableError, TerminalError } from '../../../src/core/errors.ts';
import { ApiError, NO_KIND_MATCH } from '../../../src/kubernetes/api-error.ts';

const web = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team', name: 'web' };

function apiError(code: number, reason: string, rest: object = {}): ApiError {
  return new ApiError({ code, reason, message: `the server says ${reason}`, ...rest });
}

describe('what went wrong with one object', () => {
  it('begins with the name of the object', () => {
    expect(objectFailure(web, new Error('no')).message).to.equal('Deployment/team/web: no');
    expect(objectFailure(web, 'no').message).to.equal('Deployment/team/web: no');
  });

  const cases: [string, unknown, new (message: string) => Error, string | undefined][] = [
    ['is denied by a 403', apiError(403, 'Forbidden'), DeniedError, 'RBACDenied'],
    [
      'waits for a repair when its kind is not served',
      apiError(404, NO_KIND_MATCH),
      TerminalError,
      'RBACDenied',
    ],
    ['may pass after a 422', apiError(422, 'Invalid'), RetryableError, undefined],
    ['may pass after a 409', apiError(409, 'Conflict'), RetryableError, undefined],
    ['may pass after a 500', apiError(500, 'InternalError'), RetryableError, undefined],
    [
      'keeps the reason of what only a repair helps',
      new TerminalError('no', { reason: 'InvalidSpec' }),
      TerminalError,
      'InvalidSpec',
    ],
    ['may pass when nobody knows what it was', new TypeError('no'), RetryableError, undefined],
  ];
  for (const [title, error, kind, reason] of cases) {
    it(title, () => {
      const failure = objectFailure(web, error);
      expect(failure).to.be.instanceOf(kind);
      expect(failure).to.deep.include({ reason, object: web });
    });
  }

  it('keeps how long the server wants to be left alone', () => {
    const failure = objectFailure(web, apiError(503, 'ServiceUnavailable', { retryAfter: 7000 }));
    expect(failure).to.have.property('retryAfter', 7000);
  });

  it('keeps what caused it, so that a caller can ask for that', () => {
    const cause = apiError(403, 'Forbidden');
    const failure = objectFailure(web, cause);
    expect(failure.cause).to.have.property('cause', cause);
  });
});

describe('what went wrong with many objects', () => {
  const denied = new DeniedError('a: denied', { reason: 'RBACDenied' });
  const wrong = new TerminalError('b: wrong', { reason: 'InvalidSpec' });
  const busy = new RetryableError('c: busy');

  it('is the failure itself when there is one only', () => {
    expect(combinedFailure([busy])).to.equal(busy);
  });

  it('names all of them', () => {
    expect(combinedFailure([denied, wrong, busy]).message).to.equal(
      '3 objects failed: a: denied; b: wrong; c: busy',
    );
  });

  it('names ten of them at most, and counts the rest', () => {
    const many = Array.from({ length: 12 }, (_, index) => new RetryableError(`${index}`));
    expect(combinedFailure(many).message).to.equal(
      '12 objects failed: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more',
    );
  });

  it('counts those that were not tried, and has the lost connection for its cause', () => {
    const lost = new RetryableError('d: refused', { reason: 'ConnectionFailed' });
    const rest = new NotBegun('not begun', { cause: lost });
    const failure = combinedFailure([busy, lost, rest, rest]);
    expect(failure.message).to.equal(
      '2 objects failed: c: busy; d: refused; 2 more were not tried',
    );
    expect(failure.cause).to.equal(lost);
    expect(combinedFailure([lost, rest]).message).to.equal(
      '1 object failed: d: refused; 1 more were not tried',
    );
  });

  it('waits as long as the longest of them asks for', () => {
    const [soon, late] = [5000, 7000].map((retryAfter) => new RetryableError('x', { retryAfter }));
    expect(combinedFailure([soon, late, busy])).to.have.property('retryAfter', 7000);
  });

  it('is a denial when one of them is, since nothing else helps before', () => {
    const failure = combinedFailure([busy, denied, wrong]);
    expect(failure).to.be.instanceOf(DeniedError);
    expect(failure).to.include({ reason: 'RBACDenied', cause: denied });
  });

  it('waits for a repair only when all of them do', () => {
    expect(combinedFailure([wrong, wrong])).to.be.instanceOf(TerminalError);
    expect(combinedFailure([wrong, wrong])).to.have.property('reason', 'InvalidSpec');
    expect(combinedFailure([wrong, busy])).to.be.instanceOf(RetryableError);
  });

  it('takes what is no error for something that may pass', () => {
    expect(combinedFailure(['x', 'y'])).to.be.instanceOf(RetryableError);
    expect(combinedFailure(['x', 'y']).message).to.equal('2 objects failed: x; y');
  });
});
