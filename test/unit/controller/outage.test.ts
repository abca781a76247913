import { expect } from 'chai';
import { Outage } from '../../../src/controller/outage.ts';
import { pause } from '../../../src/kubernetes/wait.ts';

/** An API server whose answers are given in advance: the last one stands. */
function outageWith(...answers: boolean[]): {
  outage: Outage;
  over: string[][];
  asked: () => number;
} {
  const over: string[][] = [];
  let asked = 0;
  const outage = new Outage({
    answers: () => {
      const answer = answers[Math.min(asked, answers.length - 1)] ?? false;
      asked += 1;
      return answer ? Promise.resolve(true) : Promise.reject(new Error('connection refused'));
    },
    onOver: (keys) => over.push([...keys]),
    every: 1,
  });
  return { outage, over, asked: () => asked };
}

async function until(holds: () => boolean): Promise<void> {
  const signal = AbortSignal.timeout(5_000);
  while (!holds()) await pause(1, signal);
}

describe('an outage of the API server', () => {
  it('ends for everyone that it interrupted as soon as the server answers', async () => {
    const { outage, over } = outageWith(false, false, false, true);
    outage.interrupted('team/shop');
    outage.interrupted('team/base');
    outage.interrupted('team/shop');
    await until(() => over.length > 0);
    expect(over).to.deep.equal([['team/shop', 'team/base']]);
    outage.stop();
  });

  it('is none when one request failed and the next is answered: its backoff stands', async () => {
    const { outage, over, asked } = outageWith(true);
    outage.interrupted('team/shop');
    await until(() => asked() === 1);
    await pause(5, AbortSignal.timeout(5_000));
    expect(over).to.deep.equal([]);
    outage.stop();
  });

  it('is of no interest to what got through by itself', async () => {
    const { outage, over, asked } = outageWith(false);
    outage.interrupted('team/shop');
    await until(() => asked() > 1);
    outage.answered('team/shop');
    const after = asked();
    await pause(20, AbortSignal.timeout(5_000));
    expect(asked()).to.be.at.most(after + 1);
    expect(over).to.deep.equal([]);
    outage.stop();
  });

  it('is not asked about any more after the end', async () => {
    const { outage, over, asked } = outageWith(false);
    outage.interrupted('team/shop');
    await until(() => asked() > 1);
    outage.stop();
    const after = asked();
    await pause(20, AbortSignal.timeout(5_000));
    expect(asked()).to.be.at.most(after + 1);
    outage.interrupted('team/base');
    expect(over).to.deep.equal([]);
  });
});
