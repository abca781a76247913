import { expect } from 'chai';
import { type Login, LoginCache } from '../../../src/cloud/login-cache.ts';
import { instant, milliseconds, minutes } from '../../../src/core/time.ts';
import { deferred } from '../../../src/kubernetes/wait.ts';
import { caught } from '../../integration/objects.ts';

describe('logins that are remembered', () => {
  const { signal } = new AbortController();
  const start = Date.UTC(2026, 0, 1);
  let now: number;
  let logins: number;

  beforeEach(() => {
    now = start;
    logins = 0;
  });

  const clock = { now: () => instant(now) };

  /** A login that is good for so many minutes. */
  function goodFor(span: number | undefined): () => Promise<Login<number>> {
    return async () => {
      logins += 1;
      const expiresAt = span === undefined ? undefined : instant(now + minutes(span));
      return await Promise.resolve({ credentials: logins, expiresAt });
    };
  }

  const lives: [what: string, life: number | undefined, lastGood: number][] = [
    ['until five minutes before their end', 60, 55],
    ['for half their life where that is short', 4, 2],
    ['for a quarter of an hour where they have no end', undefined, 10],
  ];
  for (const [what, life, lastGood] of lives) {
    it(`are handed out ${what}`, async () => {
      const cache = new LoginCache<number>(clock);
      const get = async (): Promise<number> => await cache.get('a', signal, goodFor(life));
      expect(await get()).to.equal(1);
      now = start + minutes(lastGood) - 1;
      expect(await get()).to.equal(1);
      now = start + minutes(lastGood);
      expect(await get()).to.equal(2);
    });
  }

  it('are a bounded number, and the one unused longest goes', async () => {
    const cache = new LoginCache<number>({ ...clock, most: 2 });
    for (const key of ['a', 'b', 'a', 'c']) await cache.get(key, signal, goodFor(60));
    expect(cache.size).to.equal(2);
    expect(await cache.get('a', signal, goodFor(60))).to.equal(1);
    expect(await cache.get('b', signal, goodFor(60))).to.equal(4);
  });

  it('are forgotten when they were refused', async () => {
    const cache = new LoginCache<number>(clock);
    await cache.get('a', signal, goodFor(60));
    cache.evict((known) => known === 2);
    expect(await cache.get('a', signal, goodFor(60))).to.equal(1);
    cache.evict((known) => known === 1);
    expect(await cache.get('a', signal, goodFor(60))).to.equal(2);
  });

  it('go on for the others when one of those who wait leaves', async () => {
    const cache = new LoginCache<number>(clock);
    const answer = deferred<Login<number>>();
    const leaving = new AbortController();
    const logIn = (): Promise<Login<number>> => answer.promise;
    const left = caught(cache.get('a', leaving.signal, logIn));
    const stays = cache.get('a', signal, goodFor(60));
    leaving.abort(new Error('bye'));
    expect(String(await left)).to.include('bye');
    answer.resolve({ credentials: 7, expiresAt: undefined });
    expect(await stays).to.equal(7);
  });

  it('are not remembered when they failed, nor when they take too long', async () => {
    const cache = new LoginCache<number>({ ...clock, loginTimeout: milliseconds(20) });
    const failing = async (): Promise<Login<number>> => await Promise.reject(new Error('no'));
    expect(String(await caught(cache.get('a', signal, failing)))).to.include('no');
    const hanging = (): Promise<Login<number>> => new Promise(() => undefined);
    expect(String(await caught(cache.get('a', signal, hanging)))).to.include(
      'no answer within 20 ms',
    );
    expect(cache.size).to.equal(0);
    expect(await cache.get('a', signal, goodFor(60))).to.equal(1);
  });
});
