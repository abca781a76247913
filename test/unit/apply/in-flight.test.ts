import { expect } from 'chai';
import fc from 'fast-check';
import { allFulfilled, eachInFlight, NotBegun } from '../../../src/apply/in-flight.ts';
import { RetryableError } from '../../../src/core/errors.ts';

const turn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

describe('work on many items', () => {
  it('has at most so many under way, and as many as it may', async () => {
    let active = 0;
    let most = 0;
    await eachInFlight(Array.from({ length: 20 }), 3, async () => {
      active += 1;
      most = Math.max(most, active);
      await turn();
      active -= 1;
    });
    expect(most).to.equal(3);
    expect(active).to.equal(0);
  });

  it('returns what came of each in the order of the items, not of their ends', async () => {
    const results = await eachInFlight([3, 1, 2], 3, async (turns) => {
      for (let left = turns; left > 0; left -= 1) await turn();
      return turns;
    });
    expect(results).to.deep.equal([
      { status: 'fulfilled', value: 3 },
      { status: 'fulfilled', value: 1 },
      { status: 'fulfilled', value: 2 },
    ]);
  });

  it('ends when the server cannot be reached: what is under way ends, nothing else begins', async () => {
    const begun: number[] = [];
    const results = await eachInFlight([...Array(5000).keys()], 16, async (item) => {
      begun.push(item);
      await turn();
      const broken = new RetryableError('refused', { reason: 'ConnectionFailed' });
      throw new Error(`object ${item}`, { cause: broken });
    });
    expect(begun).to.have.length(16);
    expect(results).to.have.length(5000);
    const notBegun = results.filter(
      (result) => result.status === 'rejected' && result.reason instanceof NotBegun,
    );
    expect(notBegun).to.have.length(4984);
  });

  it('ends after three timeouts, and not after one that some webhook may have caused', async () => {
    const late = new RetryableError('no answer', { reason: 'Timeout' });
    const begun: number[] = [];
    const timesOut = async (item: number, timeouts: number): Promise<void> => {
      begun.push(item);
      await turn();
      if (item < timeouts) throw late;
    };
    await eachInFlight([...Array(10).keys()], 1, (item) => timesOut(item, 2));
    expect(begun).to.have.length(10);
    begun.length = 0;
    await eachInFlight([...Array(10).keys()], 1, (item) => timesOut(item, 10));
    expect(begun).to.deep.equal([0, 1, 2]);
  });

  it('goes on after a failure, be it thrown before the first await or after', async () => {
    const early = new Error('early');
    const late = new Error('late');
    const results = await eachInFlight(['early', 'late', 'well'], 1, async (item) => {
      if (item === 'early') throw early;
      await turn();
      if (item === 'late') throw late;
      return item;
    });
    expect(results).to.deep.equal([
      { status: 'rejected', reason: early },
      { status: 'rejected', reason: late },
      { status: 'fulfilled', value: 'well' },
    ]);
  });

  it('of nothing is nothing', async () => {
    const work = (): Promise<never> => Promise.reject(new Error('there is nothing to do'));
    expect(await eachInFlight([], 5, work)).to.deep.equal([]);
  });

  it('is done once for every item, with any limit', async () => {
    const items = fc.array(fc.integer(), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 40 }), async (all, limit) => {
        const seen: number[] = [];
        const results = await eachInFlight(all, limit, async (item) => {
          seen.push(item);
          await Promise.resolve();
          return item;
        });
        expect(seen).to.deep.equal(all);
        expect(
          results.map((result) => result.status === 'fulfilled' && result.value),
        ).to.deep.equal(all);
      }),
    );
  });
});

describe('the results of many items', () => {
  const combine = (failures: readonly unknown[]): Error =>
    new Error(failures.map(String).join(' and '));

  it('are their values when all worked', () => {
    const results = [1, 2].map((value) => ({ status: 'fulfilled', value }) as const);
    expect(allFulfilled(results, combine)).to.deep.equal([1, 2]);
    expect(allFulfilled([], combine)).to.deep.equal([]);
  });

  it('are one error about all failures otherwise', () => {
    const results = [
      { status: 'rejected', reason: 'this' },
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: 'that' },
    ] as const;
    expect(() => allFulfilled(results, combine)).to.throw('this and that');
  });
});
