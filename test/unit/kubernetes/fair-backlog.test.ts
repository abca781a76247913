import { expect } from 'chai';
import { FairBacklog } from '../../../src/kubernetes/fair-backlog.ts';

describe('the backlog of events', () => {
  it('lets parties take turns, with one item under way each', () => {
    const backlog = new FairBacklog<string>(10);
    for (const item of ['a1', 'a2', 'a3']) backlog.push('a', item);
    backlog.push('b', 'b1');
    expect(backlog.take()).to.deep.equal({ party: 'a', item: 'a1' });
    expect(backlog.take()).to.deep.equal({ party: 'b', item: 'b1' });
    expect(backlog.take()).to.equal(undefined);
    backlog.done('a');
    expect(backlog.take()?.item).to.equal('a2');
    expect(backlog.size).to.equal(1);
  });

  it('drops the newest of whoever has the most when there is no room', () => {
    const backlog = new FairBacklog<string>(3);
    for (const item of ['a1', 'a2', 'a3']) expect(backlog.push('a', item)).to.equal(undefined);
    expect(backlog.push('a', 'a4'), 'its own').to.equal('a4');
    expect(backlog.push('b', 'b1'), "the other's").to.equal('a3');
    expect(backlog.size).to.equal(3);
    const taken = [backlog.take(), backlog.take()].map((next) => next?.item);
    expect(taken).to.deep.equal(['a1', 'b1']);
  });

  it('has nothing left when it is cleared', () => {
    const backlog = new FairBacklog<string>(3);
    backlog.push('a', 'a1');
    backlog.clear();
    expect([backlog.size, backlog.take()]).to.deep.equal([0, undefined]);
  });
});
