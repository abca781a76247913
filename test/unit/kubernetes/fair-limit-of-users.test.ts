import { expect } from 'chai';
import { FairLimit } from '../../../src/kubernetes/fair-limit.ts';
import { caught } from '../../integration/objects.ts';

describe('a fair limit with a most for each', () => {
  const signal = new AbortController().signal;
  let limit: FairLimit;
  let entered: string[];

  beforeEach(() => {
    limit = new FairLimit(3, 2);
    entered = [];
  });

  /** The users come in this order, and are noted as they get in. */
  async function come(...users: string[]): Promise<void> {
    for (const user of users) {
      limit
        .slotsOf(user)
        .enter(signal)
        .then(() => entered.push(user))
        .catch(() => entered.push('nobody'));
    }
    await turn();
  }

  async function leave(user: string): Promise<void> {
    limit.slotsOf(user).leave();
    await turn();
  }

  async function turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  it('leaves room for others when one user asks for much', async () => {
    await come('ann', 'ann', 'ann', 'bob');
    expect(entered).to.deep.equal(['ann', 'ann', 'bob']);
    await leave('bob');
    expect(entered).to.deep.equal(['ann', 'ann', 'bob']);
    await leave('ann');
    expect(entered).to.deep.equal(['ann', 'ann', 'bob', 'ann']);
  });

  it('lets in who has the least, and of these who has waited longest', async () => {
    await come('ann', 'ann', 'bob', 'ann', 'bob', 'cid');
    for (const user of ['ann', 'ann', 'bob']) await leave(user);
    expect(entered.slice(3)).to.deep.equal(['cid', 'ann', 'bob']);
    expect(limit.waiting).to.equal(0);
  });

  it('forgets those who give up', async () => {
    await come('ann', 'ann');
    const leaving = new AbortController();
    const left = caught(limit.slotsOf('ann').enter(leaving.signal));
    leaving.abort(new Error('gone'));
    expect(String(await left)).to.equal('Error: gone');
    expect(limit.waiting).to.equal(0);
    await leave('ann');
    expect(limit.slotsOf('ann').tryEnter()).to.equal(true);
    expect(limit.slotsOf('ann').tryEnter()).to.equal(false);
    expect(limit.slotsOf('bob').tryEnter()).to.equal(true);
    expect(limit.slotsOf('cid').tryEnter()).to.equal(false);
  });
});
