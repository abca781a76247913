import { expect } from 'chai';
import { milliseconds } from '../../../src/core/time.ts';
import { WorkQueue, type WorkQueueObserver } from '../../../src/kubernetes/work-queue.ts';
import { runWorkers } from '../../../src/kubernetes/workers.ts';

/** What is before the slash. */
const groupOf = (key: string): string => key.slice(0, key.indexOf('/'));

describe('the work queue', () => {
  it('has a key in line only once', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    queue.add('b');
    queue.add('a');
    expect(queue.depth).to.equal(2);
    expect([await queue.take(), await queue.take()]).to.deep.equal(['a', 'b']);
    expect(queue.depth).to.equal(0);
  });

  it('gives a key that is added while it is worked on to nobody else until it is done', async () => {
    const queue = new WorkQueue();
    queue.add('a');
    await queue.take();
    queue.add('a');
    queue.add('a');
    expect(queue.depth).to.equal(0);
    queue.done('a');
    expect(queue.depth).to.equal(1);
    expect(await queue.take()).to.equal('a');
    queue.done('a');
    expect(queue.depth).to.equal(0);
  });

  it('hands keys to those who wait, first come first served', async () => {
    const queue = new WorkQueue();
    const takers = [queue.take(), queue.take()];
    queue.add('a');
    queue.add('b');
    expect(await Promise.all(takers)).to.deep.equal(['a', 'b']);
    expect(queue.working).to.equal(2);
  });

  it('lets groups take turns, however long the line of one of them is', async () => {
    const queue = new WorkQueue({ groupOf });
    for (let each = 0; each < 1000; each += 1) queue.add(`crowd/${each}`);
    queue.add('one/a');
    queue.add('one/b');
    const taken: (string | undefined)[] = [];
    for (let turn = 0; turn < 5; turn += 1) taken.push(await queue.take());
    expect(taken).to.deep.equal(['crowd/0', 'one/a', 'crowd/1', 'one/b', 'crowd/2']);
    expect(queue.depth).to.equal(997);
  });

  it('leaves a worker to the others when one group would have them all', async () => {
    const queue = new WorkQueue({ groupOf, mostPerGroup: 2 });
    for (const key of ['crowd/1', 'crowd/2', 'crowd/3', 'crowd/4']) queue.add(key);
    const alone = [await queue.take(), await queue.take(), await queue.take()];
    expect(alone, 'a group that is alone has them all').to.have.length(3);
    queue.add('other/1');
    expect(await queue.take()).to.equal('other/1');
    const waiting = queue.take();
    queue.done('other/1');
    queue.done('crowd/1');
    queue.add('other/2');
    expect(await waiting).to.equal('other/2');
    const last = queue.take();
    queue.done('crowd/2');
    expect(await last, 'the crowd is below its share again').to.equal('crowd/4');
  });

  it('gives way to who asks for little, and then goes on', async () => {
    let clock = 0;
    const queue = new WorkQueue({ groupOf, mostPerGroup: 3, now: () => clock });
    for (let each = 0; each < 20; each += 1) queue.add(`crowd/${each}`);
    queue.add('little/1');
    const taken = [await queue.take(), await queue.take(), await queue.take(), await queue.take()];
    expect(taken).to.deep.equal(['crowd/0', 'little/1', 'crowd/1', 'crowd/2']);
    clock += 300;
    for (const key of ['crowd/0', 'crowd/1', 'crowd/2']) queue.done(key);
    const next = queue.take();
    expect(await soon(next), 'it rests while the other one has a worker').to.equal('nothing yet');
    clock += 400;
    expect(await next, 'then it has one worker').to.equal('crowd/3');
    const second = queue.take();
    expect(await soon(second), 'and no more').to.equal('nothing yet');
    queue.done('little/1');
    expect(await second, 'until the other one is done').to.equal('crowd/4');
    await finish(queue, 'crowd/3', 'crowd/4');
  });

  it('lets two that ask for much share the workers', async () => {
    let clock = 0;
    const queue = new WorkQueue({ groupOf, mostPerGroup: 3, now: () => clock });
    for (let each = 0; each < 10; each += 1) {
      queue.add(`one/${each}`);
      queue.add(`two/${each}`);
    }
    for (let turn = 0; turn < 4; turn += 1) await queue.take();
    clock += 400;
    for (const key of ['one/0', 'two/0', 'one/1', 'two/1']) queue.done(key);
    const taken = [await queue.take(), await queue.take(), await queue.take(), await queue.take()];
    expect(taken).to.deep.equal(['one/2', 'two/2', 'one/3', 'two/3']);
    await finish(queue, 'one/2', 'two/2', 'one/3', 'two/3');
  });

  it('adds a delayed key when its time has come, the earliest of several', async () => {
    const queue = new WorkQueue();
    const began = performance.now();
    queue.addAfter('slow', milliseconds(40));
    queue.addAfter('soon', milliseconds(5_000));
    queue.addAfter('soon', milliseconds(20));
    queue.addAfter('soon', milliseconds(9_000));
    expect(queue.depth).to.equal(0);
    expect(await queue.take()).to.equal('soon');
    expect(await queue.take()).to.equal('slow');
    expect(performance.now() - began).to.be.within(35, 1_000);
    await finish(queue, 'soon', 'slow');
  });

  it('waits longer after each failure, up to the cap, until the key is forgotten', async () => {
    const backoff = { base: milliseconds(200), cap: milliseconds(1_000_000), jitter: 0 };
    const queue = new WorkQueue({ backoff });
    const delays = Array.from({ length: 15 }, () => Number(queue.addRateLimited('a')));
    expect(delays.slice(0, 5)).to.deep.equal([200, 400, 800, 1600, 3200]);
    expect(delays.slice(-2)).to.deep.equal([1_000_000, 1_000_000]);
    expect(queue.failuresOf('a')).to.equal(15);
    expect(Number(queue.addRateLimited('b'))).to.equal(200);
    queue.forget('a');
    expect(Number(queue.addRateLimited('a'))).to.equal(200);
    await queue.close();
  });

  it('spreads the delays at random', () => {
    const backoff = { base: milliseconds(1000), cap: milliseconds(8000), jitter: 0.2 };
    const queue = new WorkQueue({ backoff, random: () => 1 });
    expect(Number(queue.addRateLimited('a'))).to.equal(800);
  });

  it('works on N keys at a time, each key one at a time', async () => {
    const queue = new WorkQueue();
    let running = 0;
    let most = 0;
    const busy = new Set<string>();
    let handled = 0;
    const finished = deferred();
    const workers = runWorkers(
      queue,
      3,
      async (key) => {
        expect(busy.has(key)).to.equal(false);
        busy.add(key);
        running += 1;
        most = Math.max(most, running);
        queue.add(key === 'k0' && handled < 20 ? 'k0' : `k${handled % 7}`);
        await new Promise((resolve) => setImmediate(resolve));
        running -= 1;
        busy.delete(key);
        handled += 1;
        if (handled === 200) finished.resolve();
        return { kind: 'Done' };
      },
      (_, error) => {
        throw error;
      },
    );
    for (let i = 0; i < 7; i += 1) queue.add(`k${i}`);
    await finished.promise;
    await queue.close();
    await workers;
    expect(most).to.equal(3);
  });

  it('puts a key back with backoff when its handler fails, and goes on', async () => {
    const backoff = { base: milliseconds(5), cap: milliseconds(5), jitter: 0 };
    const queue = new WorkQueue({ backoff });
    const errors: string[] = [];
    const done = deferred();
    let attempts = 0;
    const workers = runWorkers(
      queue,
      1,
      () => {
        attempts += 1;
        if (attempts === 1) return Promise.reject(new Error('first'));
        if (attempts === 2) return Promise.resolve({ kind: 'Backoff' });
        if (attempts === 3) return Promise.resolve({ kind: 'After', delay: milliseconds(1) });
        done.resolve();
        return Promise.resolve({ kind: 'Done' });
      },
      (key, error) => errors.push(`${key}: ${String(error)}`),
    );
    queue.add('a');
    await done.promise;
    await queue.close();
    await workers;
    expect(errors).to.deep.equal(['a: Error: first']);
    expect(queue.failuresOf('a')).to.equal(0);
  });

  it('drains: what is worked on is finished, what waits is dropped', async () => {
    const queue = new WorkQueue();
    queue.add('working');
    queue.add('waiting');
    queue.addAfter('delayed', milliseconds(1));
    await queue.take();
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    expect(await queue.take()).to.equal(undefined);
    queue.add('late');
    queue.add('working');
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([closed, queue.depth]).to.deep.equal([false, 0]);
    queue.done('working');
    await closing;
    expect(queue.depth).to.equal(0);
  });

  it('tells an observer about depth, latency, work and retries', async () => {
    const log: string[] = [];
    let now = 0;
    const observer: WorkQueueObserver = {
      depth: (depth) => log.push(`depth ${depth}`),
      added: (key) => log.push(`added ${key}`),
      started: (key, waited) => log.push(`started ${key} after ${waited}`),
      finished: (key, worked) => log.push(`finished ${key} after ${worked}`),
      retried: (key, failures) => log.push(`retried ${key} ${failures}`),
    };
    const queue = new WorkQueue({ observer, now: () => now });
    queue.add('a');
    now = 30;
    await queue.take();
    now = 50;
    expect(Number(queue.longestRunning())).to.equal(20);
    expect(Number(queue.unfinishedWork())).to.equal(20);
    queue.addRateLimited('a');
    queue.done('a');
    expect(log).to.deep.equal([
      'added a',
      'depth 1',
      'depth 0',
      'started a after 30',
      'retried a 1',
      'finished a after 20',
    ]);
    expect(Number(queue.longestRunning())).to.equal(0);
    await queue.close();
  });
});

async function finish(queue: WorkQueue, ...keys: string[]): Promise<void> {
  for (const key of keys) queue.done(key);
  await queue.close();
}

/** What is taken within the time in which a queue offers twice what it passed over. */
async function soon(taken: Promise<string | undefined>): Promise<string | undefined> {
  const nothing = new Promise<string>((resolve) => setTimeout(() => resolve('nothing yet'), 60));
  return await Promise.race([taken, nothing]);
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
