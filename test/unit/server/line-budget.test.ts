import { expect } from 'chai';
import { instant, minutes } from '../../../src/core/time.ts';
import { LineBudget } from '../../../src/server/line-budget.ts';

describe('a budget of lines', () => {
  it('lets so many through in a period, and then tells how many it left out', () => {
    let now = 0;
    const budget = new LineBudget({ most: 2, period: minutes(1), clock: () => instant(now) });
    expect([budget.take(), budget.take()]).to.deep.equal([0, 0]);
    expect([budget.take(), budget.take(), budget.take()]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
    now = 59_999;
    expect(budget.take()).to.equal(undefined);
    now = 60_000;
    expect([budget.take(), budget.take(), budget.take()]).to.deep.equal([4, 0, undefined]);
  });
});
