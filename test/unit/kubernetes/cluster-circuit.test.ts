import { expect } from 'chai';
import { causedBy, isInterruption } from '../../../src/controller/failure.ts';
import { RetryableError } from '../../../src/core/errors.ts';
import { ApiError, isForbidden, isUnauthorized } from '../../../src/kubernetes/api-error.ts';
import { ClusterCircuit } from '../../../src/kubernetes/cluster-circuit.ts';

const silence = new RetryableError('GET /api: connect ECONNREFUSED', {
  reason: 'ConnectionFailed',
});

describe('the circuit of a remote cluster', () => {
  let now = 0;
  const circuit = (): ClusterCircuit =>
    new ClusterCircuit({ cluster: 'Secret shop/paris', random: () => 0, now: () => now });

  it('keeps requests from a cluster that gave no answer, for longer each time', () => {
    const paris = circuit();
    const pauses = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    for (const pause of pauses) {
      paris.admit();
      paris.failed(silence);
      now += pause - 1;
      expect(() => paris.admit(), String(pause)).to.throw('Secret shop/paris');
      now += 1;
    }
    paris.admit();
    paris.answered();
    paris.failed(silence);
    now += 1000;
    paris.admit();
  });

  it('is not opened further by requests that were under way when it opened', () => {
    const paris = circuit();
    for (let lane = 0; lane < 16; lane += 1) paris.failed(silence);
    now += 1000;
    paris.admit();
  });

  it('names the cluster, and blames the local API server for nothing', () => {
    const paris = circuit();
    for (const code of [401, 429, 502, 503, 504]) {
      const error = paris.failed(new ApiError({ code, reason: '', message: 'no' }));
      expect(isInterruption(error), String(code)).to.equal(false);
      expect(error)
        .to.be.instanceOf(RetryableError)
        .with.property('message')
        .match(/shop\/paris/);
    }
    expect(isInterruption(paris.failed(silence))).to.equal(false);
    const refused = paris.failed(new ApiError({ code: 401, reason: 'Unauthorized', message: 'x' }));
    expect(causedBy(refused, isUnauthorized)).to.equal(true);
    const denied = paris.failed(new ApiError({ code: 403, reason: 'Forbidden', message: 'y' }));
    expect(isForbidden(denied)).to.equal(true);
    expect(String(denied)).to.include('cluster of Secret shop/paris: y');
  });

  it('takes an answer of any other kind as a sign of life', () => {
    const paris = circuit();
    const conflict = new ApiError({ code: 409, reason: 'Conflict', message: 'z' });
    expect(paris.failed(conflict)).to.equal(conflict);
    paris.admit();
  });
});
