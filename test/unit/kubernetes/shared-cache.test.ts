import { expect } from 'chai';
import { KeptResults } from '../../../src/kubernetes/kept-results.ts';
import { SharedCache } from '../../../src/kubernetes/shared-cache.ts';
import { deferred } from '../../../src/kubernetes/wait.ts';

describe('a cache beside another', () => {
  const signal = new AbortController().signal;
  const make = async (result: string): Promise<string> => await Promise.resolve(result);

  it('has the same results', async () => {
    const cache = new SharedCache(new KeptResults<string>(100, ({ length }) => length));
    const beside = cache.beside();
    await cache.get('key', async () => await make('of the one'), signal);
    expect(beside.has('key')).to.equal(true);
    expect(await beside.get('key', async () => await make('another'), signal)).to.equal(
      'of the one',
    );
    await beside.get('other', async () => await make('of the other'), signal);
    expect(cache.has('other')).to.equal(true);
  });

  it('waits for no work of the other', async () => {
    const cache = new SharedCache(new KeptResults<string>(100, ({ length }) => length));
    const slow = deferred<string>();
    const waiting = cache.beside().get('key', async () => await slow.promise, signal);
    expect(await cache.get('key', async () => await make('quick'), signal)).to.equal('quick');
    slow.resolve('slow');
    expect(await waiting).to.equal('slow');
    expect(await cache.get('key', async () => await make('no'), signal)).to.equal('quick');
  });
});
