import { expect } from 'chai';
import { RecentUse } from '../../../src/kubernetes/recent-use.ts';

describe('what was used of late', () => {
  it('is half of it after ten seconds, and hardly anything after minutes', () => {
    const use = new RecentUse();
    use.add('a', 800, 0);
    const later = [0, 10_000, 20_000, 120_000].map((now) => Math.round(use.of('a', now)));
    expect(later).to.deep.equal([800, 400, 200, 0]);
    expect(use.of('b', 0)).to.equal(0);
  });

  it('adds up', () => {
    const use = new RecentUse();
    use.add('a', 800, 0);
    use.add('a', 100, 10_000);
    expect(use.of('a', 10_000)).to.equal(500);
  });

  it('keeps what counts when parties without number come and go', () => {
    const use = new RecentUse();
    use.add('a', 1e9, 0);
    for (let each = 0; each < 5000; each += 1) use.add(`guest-${each}`, 1, each * 1000);
    expect(use.size).to.be.lessThan(2100);
    use.add('a', 5, 5_000_000);
    expect(use.of('a', 5_000_000)).to.be.within(5, 6);
  });
});
