import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { errorFromAnswer, isImmutableChange } from '../../../src/kubernetes/api-error.ts';

interface InvalidChange {
  change: string;
  verdict: 'Immutable' | 'Invalid';
  status: { code: number; message: string; details: { causes: { message: string }[] } };
}

/** What kube-apiserver v1.36 answered to a server-side apply, but for the middle of long messages. */
const file = new URL('cases/invalid-changes.json', import.meta.url);
const changes = JSON.parse(readFileSync(file, 'utf8')) as InvalidChange[];

function answered(status: unknown, sensitive = false): Error {
  const body = JSON.stringify(status);
  return errorFromAnswer({ status: 422, body, request: 'PATCH /x', sensitive });
}

function invalid(...messages: string[]): object {
  const causes = messages.map((message) => ({
    field: 'spec',
    reason: 'FieldValueInvalid',
    message,
  }));
  const status = { kind: 'Status', code: 422, reason: 'Invalid', message: 'invalid' };
  return { ...status, details: { causes } };
}

describe('a change that the API server does not take', () => {
  for (const { change, verdict, status } of changes.filter(
    ({ verdict }) => verdict === 'Immutable',
  )) {
    it(`could be had by replacing the object: ${change}`, () => {
      expect(isImmutableChange(answered(status))).to.equal(verdict === 'Immutable');
    });
  }

  for (const { change, status } of changes.filter(({ verdict }) => verdict === 'Invalid')) {
    it(`[gap] is no reason to delete anything, since it is invalid as well: ${change}`, () => {
      expect(isImmutableChange(answered(status))).to.equal(false);
    });
  }

  it('[gap] is no reason to delete anything where the value only quotes the words', () => {
    const quoting = [
      'Invalid value: "field is immutable": must be a number',
      'Unsupported value: "is immutable": supported values: "a", "b"',
      'Invalid value: "x": updates to x are forbidden',
      'Required value',
    ];
    for (const message of quoting) {
      expect(isImmutableChange(answered(invalid(message))), message).to.equal(false);
    }
  });

  it('[gap] is no reason to delete anything with another code, whatever it says', () => {
    for (const code of [400, 403, 404, 409, 500]) {
      const status = { kind: 'Status', code, reason: 'Conflict', message: 'x: field is immutable' };
      const body = JSON.stringify(status);
      const error = errorFromAnswer({ status: code, body, request: 'PATCH /x' });
      expect(isImmutableChange(error), `${code}`).to.equal(false);
    }
    expect(isImmutableChange(new Error('field is immutable'))).to.equal(false);
  });

  it('is judged by its message where the server names no causes', () => {
    const status = { kind: 'Status', code: 422, reason: 'Invalid', details: {} };
    const message = 'Widget "w" is invalid: spec.size: Invalid value: 2: field is immutable';
    expect(isImmutableChange(answered({ ...status, message }))).to.equal(true);
    expect(isImmutableChange(answered({ ...status, message: 'spec.size: too small' }))).to.equal(
      false,
    );
  });

  it('is known for a Secret too, without a word of its values', () => {
    const secret = invalid('Invalid value: "hunter2": field is immutable');
    const error = answered(secret, true);
    expect(isImmutableChange(error)).to.equal(true);
    expect(JSON.stringify([error, error.message])).not.to.include('hunter2');
    const other = answered(invalid('Invalid value: "hunter2": too short'), true);
    expect(isImmutableChange(other)).to.equal(false);
    expect(JSON.stringify([other, other.message])).not.to.include('hunter2');
  });
});
