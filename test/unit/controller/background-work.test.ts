import { expect } from 'chai';
import { BackgroundWork } from '../../../src/controller/background-work.ts';
import { InFlightLimit } from '../../../src/kubernetes/in-flight-limit.ts';

const never = new AbortController().signal;

async function settled(work: BackgroundWork<string>): Promise<void> {
  await work.wait(1000);
}

describe('work in the background', () => {
  it('that nobody has taken keeps others from beginning', async () => {
    const permits = new InFlightLimit(1);
    const first = new BackgroundWork(async () => Promise.resolve('first'), permits, never);
    await settled(first);
    expect(first.ended).to.equal(true);
    let begun = false;
    const second = new BackgroundWork(
      async () => {
        begun = true;
        return Promise.resolve('second');
      },
      permits,
      never,
    );
    await second.wait(1);
    expect(begun).to.equal(false);
    expect(first.take()).to.equal('first');
    await settled(second);
    expect(second.take()).to.equal('second');
    expect(permits.active).to.equal(0);
  });

  it('gives its permit back when it fails, is abandoned, or ends with its process', async () => {
    const permits = new InFlightLimit(1);
    const failing = new BackgroundWork(
      async () => Promise.reject<string>(new Error('no')),
      permits,
      never,
    );
    await settled(failing);
    expect(() => failing.take()).to.throw('no');
    expect(permits.active).to.equal(0);

    const done = new BackgroundWork(async () => Promise.resolve('done'), permits, never);
    await settled(done);
    done.abandon();
    expect(permits.active).to.equal(0);

    const endless = new BackgroundWork(
      async (signal) =>
        await new Promise<string>((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('ended')));
        }),
      permits,
      never,
    );
    const waiting = new BackgroundWork(async () => Promise.resolve('late'), permits, never);
    waiting.abandon();
    endless.abandon();
    await settled(endless);
    await settled(waiting);
    expect(permits.active).to.equal(0);
    expect(permits.waiting).to.equal(0);
  });
});
