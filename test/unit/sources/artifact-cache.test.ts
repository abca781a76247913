import { expect } from 'chai';
import type { ArtifactFiles } from '../../../src/core/objects/artifact-files.ts';
import { ArtifactCache } from '../../../src/sources/artifact-cache.ts';
import type { ArtifactLocation } from '../../../src/sources/fetch.ts';

const location = (letter: string, url = `http://example.com/${letter}`): ArtifactLocation => ({
  url,
  digest: `sha256:${letter.repeat(64)}`,
});

/** Fetches that the test ends by hand. */
class Fetches {
  readonly started: string[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #ends: { resolve: (files: ArtifactFiles) => void; reject: (error: Error) => void }[] =
    [];

  readonly fetch = ({ url }: ArtifactLocation, signal: AbortSignal): Promise<ArtifactFiles> => {
    this.started.push(url);
    this.signals.push(signal);
    return new Promise((resolve, reject) => {
      this.#ends.push({ resolve, reject });
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  };

  succeed(index: number, bytes = 10): void {
    this.#ends[index]?.resolve(new Map([['a.yaml', new Uint8Array(bytes)]]));
  }

  fail(index: number): void {
    this.#ends[index]?.reject(new Error('no route'));
  }
}

const { signal } = new AbortController();

describe('the artifact cache', () => {
  it('fetches an artifact once', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch);
    const first = cache.get(location('a'), signal);
    fetches.succeed(0);
    expect(await cache.get(location('a'), signal)).to.equal(await first);
    expect(fetches.started).to.deep.equal(['http://example.com/a']);
  });

  it('attack 86: the artifact of another for its digest alone (the cache asks for the address too, part A 3.2)', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch);
    const first = cache.get(location('a'), signal);
    fetches.succeed(0);
    await first;
    const other = cache.get(location('a', 'http://thief.example.com'), signal).catch(String);
    fetches.fail(1);
    expect(await other).to.equal('Error: no route');
  });

  it('shares one download among those who ask at the same time', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch);
    const both = [cache.get(location('a'), signal), cache.get(location('a'), signal)];
    fetches.succeed(0);
    const [one, other] = await Promise.all(both);
    expect(one).to.equal(other);
    expect(fetches.started).to.have.length(1);
  });

  it('does not let a bad URL fail a good one of the same digest', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch);
    const bad = cache.get(location('a', 'http://bad.example.com'), signal).catch(String);
    const good = cache.get(location('a'), signal);
    fetches.fail(0);
    fetches.succeed(1);
    expect(await bad).to.equal('Error: no route');
    expect((await good).size).to.equal(1);
  });

  it('does not remember a failure', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch);
    const first = cache.get(location('a'), signal).catch(String);
    fetches.fail(0);
    await first;
    const second = cache.get(location('a'), signal);
    fetches.succeed(1);
    expect((await second).size).to.equal(1);
  });

  it('goes on for the others when one gives up, and stops when all have', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch);
    const callers = [new AbortController(), new AbortController()];
    const waiting = callers.map((caller) => cache.get(location('a'), caller.signal).catch(String));
    callers[0]?.abort(new Error('enough'));
    expect(await waiting[0]).to.equal('Error: enough');
    expect(fetches.signals[0]?.aborted).to.equal(false);
    callers[1]?.abort(new Error('enough'));
    expect(await waiting[1]).to.equal('Error: enough');
    expect(fetches.signals[0]?.aborted).to.equal(true);
  });

  it('stays within its bytes by dropping what was not used for longest', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch, 3000);
    for (const [index, letter] of ['a', 'b'].entries()) {
      const got = cache.get(location(letter), signal);
      fetches.succeed(index, 1000);
      await got;
    }
    await cache.get(location('a'), signal);
    const third = cache.get(location('c'), signal);
    fetches.succeed(2, 1000);
    await third;
    expect(cache.bytes).to.be.at.most(3000);
    await cache.get(location('a'), signal);
    expect(fetches.started).to.have.length(3);
    const again = cache.get(location('b'), signal);
    fetches.succeed(3, 1000);
    await again;
    expect(fetches.started).to.have.length(4);
  });

  it('does not keep what is larger than all of it', async () => {
    const fetches = new Fetches();
    const cache = new ArtifactCache(fetches.fetch, 100);
    const got = cache.get(location('a'), signal);
    fetches.succeed(0, 1000);
    await got;
    expect(cache.bytes).to.equal(0);
  });
});
