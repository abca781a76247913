import { expect } from 'chai';
import { useActions } from '../action-stand.ts';
import { TestPlanner } from '../planning.ts';
import { untilRuns } from './aggregated.ts';

describe('actions in plans and in the history', () => {
  const stand = useActions();

  it('run as the plan has said, which itself runs nothing', async () => {
    const shop = await stand.namespace();
    const planner = new TestPlanner(stand.playground);
    const pre = [
      stand.http(shop, 'one'),
      stand.http(shop, 'once', { scope: 'Lifetime' }),
      { name: 'nap', wait: { duration: '10ms' } },
    ];
    const onFailure = [stand.http(shop, 'tell')];
    const actions = { pre, post: [stand.http(shop, 'two')], onFailure };
    try {
      await shop.createStageSet([{ name: 'app', actions }], { suspend: true });
      await shop.untilReason('Suspended');
      const planned = async (): Promise<string[]> =>
        ((await planner.plan(shop)).stages[0]?.actions ?? []).map(
          ({ hook, name, verdict, scope = '' }) => `${hook} ${name} ${verdict} ${scope}`,
        );
      const before = await planned();
      expect(stand.receiver.paths(`/${shop.name}/`)).to.deep.equal([]);
      await shop.changeSpec({ suspend: false });
      await shop.untilReady('v1');
      expect(before).to.deep.equal([
        'pre one WillRun Revision',
        'pre once WillRun Lifetime',
        'pre nap WillRun Revision',
        'post two WillRun Revision',
        'onFailure tell WillRun Revision',
      ]);
      const called = ['one', 'once', 'two'].map((name) => `/${shop.name}/${name}`);
      expect(stand.receiver.paths(`/${shop.name}/`)).to.deep.equal(called);
      const [run] = await untilRuns(shop, (all) => all[0]?.status?.phase === 'Succeeded');
      const recorded = run?.status?.stages?.[0]?.actions ?? [];
      expect(recorded.map(({ hook, name, outcome }) => `${hook} ${name} ${outcome}`)).to.deep.equal(
        ['pre one Succeeded', 'pre once Succeeded', 'pre nap Succeeded', 'post two Succeeded'],
      );
      for (const { startedAt, finishedAt } of recorded) {
        expect(startedAt, 'startedAt').to.be.a('string');
        expect(finishedAt, 'finishedAt').to.be.a('string');
      }
      expect((await planned()).slice(0, 4)).to.deep.equal([
        'pre one Skip Revision',
        'pre once Skip Lifetime',
        'pre nap Skip Revision',
        'post two Skip Revision',
      ]);
      expect(stand.receiver.paths(`/${shop.name}/`)).to.deep.equal(called);
    } finally {
      await planner.close();
    }
  });
});

describe('waits of many StageSets at once', () => {
  const stand = useActions();

  it('end on time, since none of them holds a worker', async () => {
    const pre = [{ name: 'soak', wait: { duration: '3s' } }];
    const lasted = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const shop = await stand.namespace();
        await shop.createStageSet([{ name: 'app', actions: { pre } }]);
        const waiting = await shop.untilStageSet(
          ({ status }) => status?.stages?.[0]?.runningAction !== undefined,
        );
        const since = Date.parse(waiting.status?.stages?.[0]?.runningAction?.startedAt ?? '');
        await shop.untilReady('v1');
        return Date.now() - since;
      }),
    );
    expect(Math.min(...lasted)).to.be.at.least(3000);
    // Four workers that are held would take 45 s, and the starts of sixty take a while by themselves.
    expect(Math.max(...lasted)).to.be.below(25_000);
  });
});
