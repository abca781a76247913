import { expect } from 'chai';
import { BackgroundWork } from '../../../src/controller/background-work.ts';
import { InFlightLimit } from '../../../src/kubernetes/in-flight-limit.ts';

const never = new AbortController().signal;

type Work = (signal: AbortSignal, permit: () => Promise<void>) => Promise<string>;

async function settled(work: BackgroundWork<string>): Promise<void> {
  await work.wait(1000);
}

function permitted(result: string): Work {
  return async (_, permit) => {
    await permit();
    return result;
  };
}

async function hanging(signal: AbortSignal): Promise<string> {
  return await new Promise<string>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('ended')));
  });
}

describe('work in the background', () => {
  it('that nobody has taken keeps others from beginning', async () => {
    const permits = new InFlightLimit(1);
    const first = new BackgroundWork(permitted('first'), permits, never);
    await settled(first);
    expect(first.ended).to.equal(true);
    let begun = false;
    const second = new BackgroundWork(
      async (_, permit) => {
        await permit();
        begun = true;
        return 'second';
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

  it('takes no permit while it waits for something else', async () => {
    const permits = new InFlightLimit(1);
    const slow = new BackgroundWork(hanging, permits, never);
    const quick = new BackgroundWork(permitted('quick'), permits, never);
    await settled(quick);
    expect(quick.take()).to.equal('quick');
    slow.abandon();
    await settled(slow);
  });

  it('gives its permit back when it fails, is abandoned, or ends with its process', async () => {
    const permits = new InFlightLimit(1);
    const failing = new BackgroundWork(
      async (_, permit) => {
        await permit();
        throw new Error('no');
      },
      permits,
      never,
    );
    await settled(failing);
    expect(() => failing.take()).to.throw('no');
    expect(permits.active).to.equal(0);

    const done = new BackgroundWork(permitted('done'), permits, never);
    await settled(done);
    done.abandon();
    expect(permits.active).to.equal(0);

    const endless = new BackgroundWork(
      async (signal, permit) => {
        await permit();
        return await hanging(signal);
      },
      permits,
      never,
    );
    const waiting = new BackgroundWork(permitted('late'), permits, never);
    waiting.abandon();
    endless.abandon();
    await settled(endless);
    await settled(waiting);
    expect(permits.active).to.equal(0);
    expect(permits.waiting).to.equal(0);
  });
});
