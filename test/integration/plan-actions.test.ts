import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { parseStageRun } from '../../src/core/validate/schema.ts';
import { type StageRun, stagesApiVersion } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { TestPlanner } from '../planning.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { WebhookReceiver } from '../webhook-receiver.ts';

describe('the actions of a stage, planned and recorded', () => {
  let playground: Playground;
  let controller: ControllerProcess;
  let receiver: WebhookReceiver;
  let planner: TestPlanner;

  before(async () => {
    playground = await sharedPlayground();
    receiver = await WebhookReceiver.start();
    const flags = ['--log-level=debug', `--local-action-hosts=${receiver.host}`];
    controller = await playground.startController({ flags });
    planner = new TestPlanner(playground);
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(playground);
  });
  after(async () => {
    await planner.close();
    await controller.stop();
    await receiver.stop();
  });

  function http(shop: TestNamespace, name: string, rest: Record<string, unknown> = {}): object {
    return { name, http: { url: receiver.url(`/${shop.name}/${name}`) }, ...rest };
  }

  async function newestRun(shop: TestNamespace, phase: string): Promise<StageRun> {
    const kind = { apiVersion: stagesApiVersion, kind: 'StageRun' };
    const runs = (objects: Iterable<unknown>): StageRun[] =>
      [...objects].flatMap((object) => {
        const parsed = parseStageRun(object);
        return parsed.ok && parsed.value.status?.phase === phase ? [parsed.value] : [];
      });
    const found = await shop.untilCollection(kind, (objects) => runs(objects.values()).length > 0);
    const [run] = runs(found.values()).sort(
      (one, other) => (other.spec?.sequence ?? 0) - (one.spec?.sequence ?? 0),
    );
    if (run === undefined) throw new Error('there is a run');
    return run;
  }

  it('are told before, are not done by the plan, are done by the run, and are on record', async () => {
    const shop = await TestNamespace.create(playground);
    await shop.publish('dev', 'v1', [configMap('dev')]);
    const actions = {
      pre: [http(shop, 'one'), http(shop, 'once', { scope: 'Lifetime' })],
      post: [http(shop, 'two')],
      onFailure: [http(shop, 'tell')],
    };
    await shop.createStageSet([{ name: 'dev', sourceRef: { name: 'dev' }, actions }], {
      suspend: true,
    });
    await shop.untilReason('Suspended');
    const before = await planner.plan(shop);
    expect(before.stages[0]?.actions).to.deep.equal([
      {
        hook: 'pre',
        name: 'one',
        type: 'http',
        verdict: 'WillRun',
        scope: 'Revision',
        reason: 'not done for revision v1 yet',
      },
      {
        hook: 'pre',
        name: 'once',
        type: 'http',
        verdict: 'WillRun',
        scope: 'Lifetime',
        reason: 'never done',
      },
      {
        hook: 'post',
        name: 'two',
        type: 'http',
        verdict: 'WillRun',
        scope: 'Revision',
        reason: 'not done for revision v1 yet',
      },
      {
        hook: 'onFailure',
        name: 'tell',
        type: 'http',
        verdict: 'WillRun',
        scope: 'Revision',
        reason: 'only if the stage fails; not done for revision v1 yet',
      },
    ]);
    expect(receiver.paths(`/${shop.name}/`)).to.deep.equal([]);

    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v1');
    const done = ['one', 'once', 'two'].map((name) => `/${shop.name}/${name}`);
    expect(receiver.paths(`/${shop.name}/`)).to.deep.equal(done);
    const after = await planner.plan(shop);
    expect(after.verdict).to.equal('UpToDate');
    expect(after.stages[0]?.actions?.map(({ verdict }) => verdict)).to.deep.equal([
      'Skip',
      'Skip',
      'Skip',
      'WillRun',
    ]);

    const { status } = await newestRun(shop, 'Succeeded');
    const acts = status?.stages?.[0]?.actions ?? [];
    expect(acts.map(({ hook, name, outcome }) => `${hook} ${name} ${outcome}`)).to.deep.equal([
      'pre one Succeeded',
      'pre once Succeeded',
      'post two Succeeded',
    ]);
    for (const { startedAt, finishedAt } of acts) {
      expect(Date.parse(finishedAt ?? '')).to.be.at.least(Date.parse(startedAt ?? ''));
    }
  });

  it('[gap] that fail in pre leave the applied revision as it was (part A 1.2)', async () => {
    const shop = await TestNamespace.create(playground);
    await shop.publish('dev', 'v1', [configMap('dev', { release: 'v1' })]);
    const actions = { pre: [http(shop, 'gate')] };
    await shop.createStageSet([{ name: 'dev', sourceRef: { name: 'dev' }, actions }]);
    await shop.untilReady('v1');
    receiver.statuses.set(`/${shop.name}/gate`, 403);
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await shop.untilReason('StageFailed');
    const { status } = await shop.untilStageSet(
      ({ status: now }) => now?.stages?.[0]?.phase === 'Failed',
    );
    expect(status?.stages?.[0]?.appliedRevision).to.equal('v1');
    expect((await shop.find(configMap('dev')))?.['data']).to.deep.equal({ release: 'v1' });
    const run = await newestRun(shop, 'Failed');
    const [act] = run.status?.stages?.[0]?.actions ?? [];
    expect(act).to.include({ hook: 'pre', name: 'gate', outcome: 'Failed' });
    expect(act?.message).to.match(/^action gate: 127\.0\.0\.1:\d+ answered 403 instead of 2xx$/);
  });
});
