import { expect } from 'chai';
import { milliseconds, minutes } from '../../../../src/core/time.ts';
import { type Deferred, deferred } from '../../../../src/kubernetes/wait.ts';
import { PlanPlaces } from '../../../../src/server/aggregated/plan/plan-places.ts';
import { StatusError } from '../../../../src/server/aggregated/status-error.ts';

describe('the places of plans', () => {
  const signal = new AbortController().signal;
  let places: PlanPlaces;
  let begun: string[];
  let ends: Map<string, Deferred<undefined>>;

  beforeEach(() => {
    places = new PlanPlaces({ most: 3, mostOfOneUser: 2, longestWait: minutes(1) });
    begun = [];
    ends = new Map();
  });

  /** A plan of the user in front of the dash, which lasts until it is ended. */
  function plan(name: string, of: AbortSignal = signal): Promise<void> {
    const user = name.split('-')[0] ?? '';
    return places.during(user, of, async () => {
      begun.push(name);
      const end = deferred<undefined>();
      ends.set(name, end);
      await end.promise;
    });
  }

  async function end(name: string): Promise<void> {
    ends.get(name)?.resolve(undefined);
    await new Promise((resolve) => setImmediate(resolve));
  }

  async function failureOf(work: Promise<void>): Promise<unknown> {
    try {
      await work;
      return undefined;
    } catch (error) {
      return error;
    }
  }

  it('leave room for others when one user asks for many', async () => {
    const all = [plan('a-1'), plan('a-2'), plan('a-3'), plan('b-1')];
    expect(begun).to.deep.equal(['a-1', 'a-2', 'b-1']);
    await end('a-1');
    expect(begun).to.deep.equal(['a-1', 'a-2', 'b-1', 'a-3']);
    for (const name of ['a-2', 'a-3', 'b-1']) await end(name);
    await Promise.all(all);
  });

  it('go to those who have the fewest, and of these to who has waited longest', async () => {
    const all = [plan('a-1'), plan('a-2'), plan('b-1'), plan('a-3'), plan('b-2'), plan('c-1')];
    await end('a-1');
    await end('a-2');
    await end('b-1');
    expect(begun).to.deep.equal(['a-1', 'a-2', 'b-1', 'c-1', 'a-3', 'b-2']);
    for (const name of ['a-3', 'b-2', 'c-1']) await end(name);
    await Promise.all(all);
    expect(places.waiting).to.equal(0);
  });

  it('come free when a plan fails', async () => {
    const broken = async (): Promise<void> => await Promise.reject(new Error('no'));
    for (let turn = 0; turn < 5; turn += 1) {
      expect(String(await failureOf(places.during('a', signal, broken)))).to.equal('Error: no');
    }
  });

  it('are waited for until whoever waits goes away', async () => {
    const all = [plan('a-1'), plan('a-2')];
    const leaving = new AbortController();
    const left = failureOf(plan('a-3', leaving.signal));
    leaving.abort(new Error('gone'));
    expect(String(await left)).to.equal('Error: gone');
    expect(places.waiting).to.equal(0);
    for (const name of ['a-1', 'a-2']) await end(name);
    await Promise.all(all);
    expect(begun).to.deep.equal(['a-1', 'a-2']);
  });

  it('are refused with 429 and Retry-After after a bounded wait', async () => {
    places = new PlanPlaces({ most: 1, mostOfOneUser: 1, longestWait: milliseconds(10) });
    const first = plan('a-1');
    const failure = await failureOf(plan('b-1'));
    expect(failure).to.be.instanceOf(StatusError);
    expect((failure as StatusError).toStatus()).to.deep.include({
      code: 429,
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 2 },
    });
    await end('a-1');
    await first;
    const later = plan('b-2');
    await end('b-2');
    await later;
  });
});
