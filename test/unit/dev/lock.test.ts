import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { underLock } from '../../../dev/process/lock.ts';

describe('work under a lock file', () => {
  let directory: string;
  let file: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stageset-lock-'));
    file = join(directory, 'lock');
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('is done one at a time, and leaves no file', async () => {
    const events: string[] = [];
    const turn = async (name: string): Promise<void> =>
      underLock(file, async () => {
        events.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        events.push(`${name} ends`);
      });
    await Promise.all([turn('first'), turn('second')]);
    expect(events).to.have.lengthOf(4);
    expect(events[1]).to.equal(events[0]?.replace('begins', 'ends'));
    expect(events[3]).to.equal(events[2]?.replace('begins', 'ends'));
    expect(await readdir(directory)).to.deep.equal([]);
  });

  it('takes over what a crash left a minute ago, by one of those who wait', async () => {
    await writeFile(file, 'somebody');
    const minuteAgo = new Date(Date.now() - 60_000);
    await utimes(file, minuteAgo, minuteAgo);
    let inside = 0;
    let most = 0;
    const turn = async (): Promise<void> =>
      underLock(file, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      });
    await Promise.all([turn(), turn(), turn()]);
    expect(most).to.equal(1);
    expect(await readdir(directory)).to.deep.equal([]);
  });

  it('says once that it waits, and stops waiting when told to', async () => {
    await writeFile(file, 'somebody');
    const giveUp = new AbortController();
    let told = 0;
    const waiting = underLock(file, async () => Promise.resolve(), {
      signal: giveUp.signal,
      onWait: () => {
        told += 1;
        giveUp.abort(new Error('enough'));
      },
    });
    const failure = await waiting.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(Error);
    expect(told).to.equal(1);
    expect(await readdir(directory)).to.deep.equal(['lock']);
  });

  it('frees the lock when the work fails', async () => {
    const failed = underLock(file, async () => Promise.reject(new Error('no')));
    expect(await failed.catch(String)).to.equal('Error: no');
    expect(await underLock(file, async () => Promise.resolve('yes'))).to.equal('yes');
  });
});
