import { expect } from 'chai';
import { LadderCache } from '../../../src/build/ladder-cache.ts';
import type { LadderResult } from '../../../src/build/read-ladder.ts';

const here = { url: 'http://sources/a.tar.gz', digest: `sha256:${'a'.repeat(64)}` };

const ladder: LadderResult = { parsed: { kind: 'Ladder', ladder: [] }, bytes: 100 };

describe('the cache of ladders', () => {
  const { signal } = new AbortController();
  let cache: LadderCache;
  let read: number;

  beforeEach(() => {
    cache = new LadderCache();
    read = 0;
  });

  async function ask(location = here, path?: string, result = ladder): Promise<void> {
    const reading = async (): Promise<LadderResult> => {
      read += 1;
      return await Promise.resolve(result);
    };
    expect(await cache.get(location, path, reading, signal)).to.equal(result.parsed);
  }

  it('has one of an artifact and path read once, by all who ask', async () => {
    await Promise.all(Array.from({ length: 50 }, async () => await ask()));
    await ask();
    expect(read).to.equal(1);
    expect(cache.has(here, undefined)).to.equal(true);
    expect(cache.has(here, '')).to.equal(true);
  });

  it('tells paths, digests and addresses apart', async () => {
    await ask();
    await ask(here, 'ladder');
    await ask({ ...here, digest: `sha256:${'b'.repeat(64)}` });
    // Who knows a digest may not fetch what has it.
    await ask({ ...here, url: 'http://elsewhere/a.tar.gz' });
    expect(read).to.equal(4);
  });

  it('shares what is there with those beside it', async () => {
    await ask();
    expect(cache.beside().has(here, undefined)).to.equal(true);
  });

  it('is bounded by number, however small they are', async () => {
    for (let each = 0; each < 1025; each += 1) await ask(here, `ladder-${each}`);
    expect(cache.has(here, 'ladder-0')).to.equal(false);
    expect(cache.has(here, 'ladder-1')).to.equal(true);
  });

  it('is bounded by memory', async () => {
    const half = { ...ladder, bytes: 17 * 1024 * 1024 };
    await ask(here, 'first', half);
    await ask(here, 'second', half);
    expect(cache.has(here, 'first')).to.equal(false);
    expect(cache.has(here, 'second')).to.equal(true);
  });

  it('remembers no failure', async () => {
    const failing = cache.get(here, '', async () => Promise.reject(new Error('gone')), signal);
    expect(await failing.catch((error: unknown) => String(error))).to.equal('Error: gone');
    await ask();
  });
});
