import { expect } from 'chai';
import { type Instant, instant, seconds } from '../../../../src/core/time.ts';
import { deferred } from '../../../../src/kubernetes/wait.ts';
import { VerdictCache } from '../../../../src/server/aggregated/verdict-cache.ts';

describe('the cache of verdicts', () => {
  const signal = new AbortController().signal;
  let time: Instant;
  let asked: number;

  beforeEach(() => {
    time = instant(0);
    asked = 0;
  });

  const answer = (): Promise<number> => Promise.resolve((asked += 1));
  const cache = (mostEntries = 10): VerdictCache<number> =>
    new VerdictCache({ monotonic: () => time, mostEntries });

  it('remembers for ten seconds', async () => {
    const verdicts = cache();
    expect(await verdicts.verdict('a', answer, signal)).to.equal(1);
    time = instant(9_999);
    expect(await verdicts.verdict('a', answer, signal)).to.equal(1);
    time = instant(10_000);
    expect(await verdicts.verdict('a', answer, signal)).to.equal(2);
  });

  it('forgets the oldest when there are too many', async () => {
    const verdicts = cache(2);
    for (const key of ['a', 'b', 'c', 'a']) await verdicts.verdict(key, answer, signal);
    expect(asked).to.equal(4);
    await verdicts.verdict('c', answer, signal);
    expect(asked).to.equal(4);
  });

  it('does not remember failures, however they come', async () => {
    const verdicts = cache();
    const fail = (): Promise<number> => {
      throw new Error('no');
    };
    for (const broken of [fail, () => Promise.reject(new Error('no'))]) {
      let message = '';
      await verdicts.verdict('a', broken, signal).catch((error: unknown) => {
        message = String(error);
      });
      expect(message).to.equal('Error: no');
    }
    expect(await verdicts.verdict('a', answer, signal)).to.equal(1);
  });

  it('goes on for the others when one of those who wait gives up', async () => {
    const verdicts = cache();
    const { promise, resolve } = deferred<number>();
    const ask = (): Promise<number> => {
      asked += 1;
      return promise;
    };
    const leaving = new AbortController();
    const first = verdicts.verdict('a', ask, leaving.signal).catch(String);
    const second = verdicts.verdict('a', ask, signal);
    leaving.abort(new Error('gone'));
    expect(await first).to.equal('Error: gone');
    resolve(7);
    expect(await second).to.equal(7);
    expect(asked).to.equal(1);
  });

  it('bounds one question', async () => {
    const verdicts = new VerdictCache<number>({ timeout: seconds(0.02) });
    const never = (bounded: AbortSignal): Promise<number> =>
      new Promise((_, reject) => {
        bounded.addEventListener('abort', () => reject(new Error('too slow')));
      });
    const outcome = await verdicts.verdict('a', never, signal).catch(String);
    expect(outcome).to.equal('Error: too slow');
  });
});
