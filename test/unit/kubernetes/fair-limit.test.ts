import { expect } from 'chai';
import { FairLimit } from '../../../src/kubernetes/fair-limit.ts';

describe('a limit that is shared fairly', () => {
  const { signal } = new AbortController();

  /** Asks for a slot, and notes the party when it is given. */
  function ask(limit: FairLimit, party: string, given: string[]): void {
    limit.enter(party, signal).then(
      () => given.push(party),
      () => undefined,
    );
  }

  const settled = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

  it('gives the next slot to the party that has the fewest, whoever is first in line', async () => {
    const limit = new FairLimit(2, 'None');
    const given: string[] = [];
    for (let each = 0; each < 5; each += 1) ask(limit, 'crowd', given);
    ask(limit, 'other', given);
    await settled();
    expect(given).to.deep.equal(['crowd', 'crowd']);
    limit.leave('crowd');
    await settled();
    expect(given).to.deep.equal(['crowd', 'crowd', 'other']);
    limit.leave('crowd');
    limit.leave('other');
    await settled();
    expect(limit.active).to.equal(2);
    expect(given.slice(3)).to.deep.equal(['crowd', 'crowd']);
  });

  it('takes turns among parties that have equally many', async () => {
    const limit = new FairLimit(1, 'None');
    const given: string[] = [];
    ask(limit, 'holder', given);
    await settled();
    for (const party of ['a', 'a', 'a', 'b', 'b', 'c']) ask(limit, party, given);
    for (const party of ['holder', 'a', 'b', 'c', 'a', 'b']) {
      limit.leave(party);
      await settled();
    }
    expect(given).to.deep.equal(['holder', 'a', 'b', 'c', 'a', 'b', 'a']);
  });

  it('keeps room for newcomers: one has half, two have a third each', async () => {
    const limit = new FairLimit(12, 'ForNewcomers');
    const given: string[] = [];
    for (let each = 0; each < 20; each += 1) ask(limit, 'one', given);
    await settled();
    expect(given).to.have.length(6);
    for (let each = 0; each < 20; each += 1) ask(limit, 'two', given);
    await settled();
    expect(given.filter((party) => party === 'two')).to.have.length(3);
    for (let each = 0; each < 6; each += 1) {
      limit.leave('one');
      await settled();
    }
    const held = { one: 0, two: 0 };
    for (const party of given) held[party === 'one' ? 'one' : 'two'] += 1;
    held.one -= 6;
    expect(held).to.deep.equal({ one: 4, two: 4 });
    ask(limit, 'newcomer', given);
    await settled();
    expect(given.at(-1)).to.equal('newcomer');
  });

  it('gives everything back, and forgets who gave up waiting', async () => {
    const limit = new FairLimit(1, 'ForNewcomers');
    await limit.enter('a', signal);
    const impatient = new AbortController();
    const waiting = limit.enter('b', impatient.signal);
    impatient.abort(new Error('enough'));
    const failure: unknown = await waiting.catch((error: unknown) => error);
    expect(failure).to.be.an('error').with.property('message', 'enough');
    limit.leave('a');
    expect(limit.active).to.equal(0);
    await limit.enter('c', signal);
    limit.leave('c');
    expect(limit.active).to.equal(0);
  });

  it('never gives out more than there is', async () => {
    const limit = new FairLimit(3, 'ForNewcomers');
    let most = 0;
    const work = async (party: string): Promise<void> => {
      const slots = limit.slotsOf(party);
      await slots.enter(signal);
      most = Math.max(most, limit.active);
      await settled();
      slots.leave();
    };
    const parties = Array.from({ length: 60 }, (_, index) => `party ${index % 7}`);
    await Promise.all(parties.map(work));
    expect(most).to.equal(3);
    expect(limit.active).to.equal(0);
  });
});
