import { expect } from 'chai';
import { RetryableError } from '../../../src/core/errors.ts';
import {
  ApiError,
  errorFromAnswer,
  isForbidden,
  noAnswer,
  SERVER_NOT_READY,
} from '../../../src/kubernetes/api-error.ts';
import { ServerDoubt } from '../../../src/kubernetes/server-doubt.ts';

function answer(code: number, message = 'no', reason = '', sensitive = false): ApiError {
  const status = { kind: 'Status', apiVersion: 'v1', code, reason, message };
  return errorFromAnswer({
    status: code,
    body: JSON.stringify(status),
    request: 'GET /',
    sensitive,
  });
}

const denial = answer(403, 'configmaps "web" is forbidden', 'Forbidden');
const broken = new RetryableError('reset', { reason: 'ConnectionFailed' });

describe('what an API server says', () => {
  let now: number;
  let ready: boolean;
  let asked: number;
  let doubt: ServerDoubt;

  beforeEach(() => {
    now = 0;
    ready = false;
    asked = 0;
    doubt = new ServerDoubt(() => now);
  });

  async function judged(error: unknown): Promise<unknown> {
    return await doubt.judged(error, async () => {
      asked += 1;
      return await Promise.resolve(ready);
    });
  }

  it('counts, and costs no question, while there is no sign of trouble', async () => {
    for (const error of [denial, answer(401), answer(404), answer(500), answer(422)]) {
      expect(await judged(error)).to.equal(error);
    }
    expect(asked).to.equal(0);
  });

  const signs: [string, unknown][] = [
    ['a connection that broke', broken],
    ['a request that nobody answered', new RetryableError('late', { reason: 'Timeout' })],
    ['a gateway without a server', answer(502)],
    ['a server that is unavailable', answer(503)],
    ['an error of etcd', answer(500, 'etcdserver: leader changed')],
  ];
  for (const [what, sign] of signs) {
    it(`does not count after ${what} while it is not ready: denials, missing kinds, failures`, async () => {
      expect(await judged(sign)).to.equal(sign);
      for (const error of [denial, answer(401), answer(404), answer(500)]) {
        const doubted = await judged(error);
        expect(doubted).to.be.instanceOf(RetryableError);
        expect(noAnswer(doubted)).to.equal(SERVER_NOT_READY);
        expect(isForbidden(doubted)).to.equal(false);
        expect(doubted).to.have.property('cause', error);
      }
    });
  }

  it('counts of the object itself, ready or not', async () => {
    doubt.noticed(broken);
    const details = { name: 'web', kind: 'configmaps' };
    const gone = new ApiError({ code: 404, reason: 'NotFound', message: 'no', details });
    for (const error of [answer(409), answer(422), answer(400), gone, new Error('ours')]) {
      expect(await judged(error)).to.equal(error);
    }
  });

  it('counts again once the server is ready', async () => {
    doubt.noticed(broken);
    ready = true;
    expect(await judged(denial)).to.equal(denial);
    ready = false;
    expect(await judged(denial)).to.equal(denial);
    expect(asked).to.equal(1);
  });

  it('counts a minute after the last sign, for who may not ask or is never told', async () => {
    doubt.noticed(broken);
    now = 59_999;
    expect(noAnswer(await judged(denial))).to.equal(SERVER_NOT_READY);
    now = 60_000;
    expect(await judged(denial)).to.equal(denial);
  });

  it('is asked for once by all who doubt it at the same time', async () => {
    doubt.noticed(broken);
    await Promise.all([judged(denial), judged(answer(404)), judged(answer(500))]);
    expect(asked).to.equal(1);
  });
});

describe('an error of etcd', () => {
  it('is known by its words, also where they are withheld', () => {
    for (const message of [
      'etcdserver: request timed out',
      'etcdserver: leader changed',
      'rpc error: code = Unavailable desc = error reading from server: EOF',
      'context deadline exceeded',
      'Internal error occurred: etcdserver: no leader',
    ]) {
      expect(answer(500, message).isStorageFault, message).to.equal(true);
      const withheld = answer(500, message, '', true);
      expect(withheld.message).not.to.include(message);
      expect(withheld.isStorageFault, message).to.equal(true);
    }
  });

  it('is no webhook that failed, and no other error', () => {
    for (const message of [
      'Internal error occurred: failed calling webhook "a.example.com": context deadline exceeded',
      'Internal error occurred: admission plugin failed',
      'no',
    ]) {
      expect(answer(500, message, 'InternalError').isStorageFault, message).to.equal(false);
    }
    expect(answer(422, 'etcdserver: no').isStorageFault).to.equal(false);
  });
});
